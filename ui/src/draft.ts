// A declaration being written: kept on the server as it is typed. Where that fails, this browser keeps it and tries again.

/** After the last key, in milliseconds. */
const PAUSE = 700;
/** Between two tries while there is no connection. */
const RETRY = 5000;

type Outcome = "saved" | "offline" | "signed-out" | "refused";

function store(id: string): string {
  return `tidewaiter-draft ${id || "new"}`;
}

class Draft {
  private timer = 0;
  private sending = false;
  private again = false;

  constructor(private readonly form: HTMLFormElement, private readonly line: HTMLElement) {
    this.restore();
    form.addEventListener("input", () => this.soon(PAUSE));
    form.addEventListener("submit", () => {
      clearTimeout(this.timer);
      this.forget();
    });
    addEventListener("online", () => this.soon(0));
    document.addEventListener("visibilitychange", () => {
      if (document.hidden && this.timer !== 0) this.soon(0);
    });
  }

  private get id(): string {
    return this.form.dataset["draft"] ?? "";
  }

  private soon(after: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.save(), after);
  }

  private body(): URLSearchParams {
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(this.form)) if (typeof value === "string") body.append(name, value);
    body.set("do", "save");
    return body;
  }

  private async save(): Promise<void> {
    this.timer = 0;
    if (this.sending) {
      this.again = true;
      return;
    }
    this.sending = true;
    this.say("saving", "");
    const outcome = await this.send();
    this.sending = false;
    if (outcome === "offline") {
      this.keep();
      this.say("notSaved", "");
      this.soon(RETRY);
    } else if (outcome === "signed-out") {
      this.keep();
      this.say("signedOut", "");
      this.soon(RETRY);
    } else if (this.again) {
      this.again = false;
      this.soon(0);
    }
  }

  private async send(): Promise<Outcome> {
    let answer: Response;
    try {
      answer = await fetch(this.form.action, {
        method: "POST",
        body: this.body(),
        headers: { accept: "application/json" },
        redirect: "manual",
        keepalive: document.hidden,
      });
    } catch {
      return "offline";
    }
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) return "signed-out";
    if (answer.status >= 500 || answer.status === 429) return "offline";
    if (!answer.ok) {
      // A draft that was lodged or discarded elsewhere, or is too long: the page says so when it is sent.
      this.line.textContent = "";
      return "refused";
    }
    const saved = (await answer.json()) as { place: string; saved_at: string };
    this.forget();
    if (this.id === "") {
      this.form.action = saved.place;
      this.form.dataset["draft"] = saved.place.slice(saved.place.lastIndexOf("/") + 1);
      history.replaceState(null, "", saved.place);
    }
    this.say("savedAt", new Date(saved.saved_at).toLocaleTimeString(document.documentElement.lang, { hour12: false }));
    return "saved";
  }

  private say(what: string, time: string): void {
    this.line.dataset["state"] = what;
    this.line.textContent = (this.line.dataset[what] ?? "").replace("{time}", time);
  }

  private keep(): void {
    try {
      localStorage.setItem(store(this.id), this.body().toString());
    } catch {
      // Without a store of its own the browser keeps it as long as the page is open.
    }
  }

  private forget(): void {
    try {
      localStorage.removeItem(store(this.id));
    } catch {
      // Nothing was kept then.
    }
  }

  /** Fills in what could not be saved the last time. */
  private restore(): void {
    let kept: string | null = null;
    try {
      kept = localStorage.getItem(store(this.id));
    } catch {
      return;
    }
    if (kept === null) return;
    const fields = new URLSearchParams(kept);
    const items = this.form.elements.namedItem("items");
    if (items instanceof HTMLInputElement && items.value !== fields.get("items")) return;
    for (const [name, value] of fields) {
      const field = this.form.elements.namedItem(name);
      const typed = field instanceof HTMLInputElement || field instanceof HTMLSelectElement;
      if (typed && name !== "csrf" && name !== "items") field.value = value;
    }
    this.soon(0);
  }
}

const form = document.querySelector<HTMLFormElement>("form[data-draft]");
const line = document.querySelector<HTMLElement>("[data-saved]");
if (form && line) new Draft(form, line);
