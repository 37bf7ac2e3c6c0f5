// Forms of one choice are sent as soon as it is made; their button is for those without scripts.

document.documentElement.classList.add("scripted");
document.addEventListener("change", (event) => {
  const target = event.target;
  if (target instanceof HTMLSelectElement && target.matches("[data-send-on-change]")) target.form?.requestSubmit();
});
