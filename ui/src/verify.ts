// A proof file is checked here, in the browser: nothing of it is uploaded. The form is C2SP tlog-proof; the tree is that
// of RFC 6962; the checkpoint is a C2SP signed note with Ed25519.

export {};

const HEADER = "c2sp.org/tlog-proof@v1";
const FORMAT = "tidewaiter-event@v1";
/** Longest file that is read, in bytes. */
const PROOF_BYTES_MAX = 512 * 1024;
const DOCUMENT_BYTES_MAX = 256 * 1024 * 1024;
const NOTE_KEY = 1;

interface Key {
  name: string;
  id: string;
  key: Uint8Array<ArrayBuffer>;
}

interface Proof {
  index: bigint;
  path: Uint8Array<ArrayBuffer>[];
  text: string;
  origin: string;
  size: bigint;
  root: string;
  signatures: { name: string; id: string; signature: Uint8Array<ArrayBuffer> }[];
  envelope: string;
  salt: string | undefined;
  payload: string | undefined;
}

/** What is wrong with a file, as a name of the texts on the page. */
class Wrong extends Error {}

const utf8 = new TextEncoder();

function base64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    throw new Wrong("malformed");
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function unhex(text: string): Uint8Array<ArrayBuffer> {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new Wrong("malformed");
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

async function sha256(...parts: Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

function decimal(text: string | undefined): bigint {
  if (!text || !/^(0|[1-9][0-9]{0,18})$/.test(text)) throw new Wrong("malformed");
  return BigInt(text);
}

/** `name+id+base64(kind, key)`, as signed notes print keys. */
function readKey(text: string): Key | undefined {
  const parts = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim());
  if (!parts) return undefined;
  const bytes = base64(parts[3] ?? "");
  if (bytes.length !== 33 || bytes[0] !== NOTE_KEY) return undefined;
  return { name: parts[1] ?? "", id: parts[2] ?? "", key: bytes.slice(1) };
}

function readProof(file: string): Proof {
  const end = file.indexOf("\n\n");
  if (end < 0) throw new Wrong("malformed");
  const head = file.slice(0, end).split("\n");
  const note = file.slice(end + 2);
  if (head.shift() !== HEADER) throw new Wrong("no_proof");
  const extra = head[0]?.startsWith("extra ") ? head.shift() : undefined;
  if (!extra) throw new Wrong("no_event");
  const opened = JSON.parse(new TextDecoder().decode(base64(extra.slice(6)))) as Record<string, string | undefined>;
  if (opened["format"] !== FORMAT || typeof opened["envelope"] !== "string") throw new Wrong("no_event");
  const index = decimal(/^index (.*)$/.exec(head.shift() ?? "")?.[1]);
  const path = head.map(base64);
  if (path.length > 64 || path.some((hash) => hash.length !== 32)) throw new Wrong("malformed");
  const gap = note.indexOf("\n\n");
  if (gap < 0) throw new Wrong("malformed");
  const text = note.slice(0, gap + 1);
  const [origin, size, root] = text.split("\n");
  const signatures = note
    .slice(gap + 2)
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const parts = /^— (\S+) (\S+)$/.exec(line);
      const bytes = base64(parts?.[2] ?? "");
      if (!parts || bytes.length < 5) throw new Wrong("malformed");
      return { name: parts[1] ?? "", id: hex(bytes.slice(0, 4)), signature: bytes.slice(4) };
    });
  return {
    index,
    path,
    text,
    origin: origin ?? "",
    size: decimal(size),
    root: root ?? "",
    signatures,
    envelope: opened["envelope"],
    salt: opened["salt"],
    payload: opened["payload"],
  };
}

/** The root that follows from a leaf and its path (RFC 9162, section 2.1.3.2). */
async function rootOf(proof: Proof): Promise<Uint8Array> {
  if (proof.index >= proof.size) throw new Wrong("not_included");
  let [node, last] = [proof.index, proof.size - 1n];
  let hash: Uint8Array = await sha256(Uint8Array.of(0), utf8.encode(proof.envelope));
  for (const sibling of proof.path) {
    if (last === 0n) throw new Wrong("not_included");
    if (node % 2n === 1n || node === last) {
      hash = await sha256(Uint8Array.of(1), sibling, hash);
      while (node % 2n === 0n && node !== 0n) [node, last] = [node >> 1n, last >> 1n];
    } else {
      hash = await sha256(Uint8Array.of(1), hash, sibling);
    }
    [node, last] = [node >> 1n, last >> 1n];
  }
  if (last !== 0n) throw new Wrong("not_included");
  return hash;
}

async function signedBy(proof: Proof, keys: Key[]): Promise<Key> {
  for (const key of keys) {
    const own = proof.signatures.find((line) => line.name === key.name && line.id === key.id);
    if (!own || key.name !== proof.origin) continue;
    let imported: CryptoKey;
    try {
      imported = await crypto.subtle.importKey("raw", key.key, "Ed25519", false, ["verify"]);
    } catch {
      throw new Wrong("browser_too_old");
    }
    if (await crypto.subtle.verify("Ed25519", imported, own.signature, utf8.encode(proof.text))) return key;
    throw new Wrong("bad_signature");
  }
  throw new Wrong("unknown_key");
}

async function checkPayload(proof: Proof, envelope: Record<string, unknown>): Promise<Record<string, unknown> | undefined> {
  if (proof.salt === undefined || proof.payload === undefined) return undefined;
  const commit = hex(await sha256(unhex(proof.salt), utf8.encode(proof.payload)));
  if (commit !== envelope["payload_commit"]) throw new Wrong("payload_differs");
  return JSON.parse(proof.payload) as Record<string, unknown>;
}

const form = document.querySelector<HTMLFormElement>("form[data-verify]");
const outcome = document.querySelector<HTMLElement>("[data-outcome]");

/** A text of the page. The server wrote them in the reader's language. */
function say(name: string): string {
  return document.querySelector(`[data-texts] [data-text="${name}"]`)?.textContent ?? name;
}

function show(kind: "good" | "bad" | "warn", title: string, facts: [string, string | Node][]): void {
  if (!outcome) return;
  const heading = document.createElement("h2");
  heading.textContent = title;
  const list = document.createElement("dl");
  list.className = "facts";
  for (const [name, value] of facts) {
    const pair = document.createElement("div");
    const dt = document.createElement("dt");
    const dd = document.createElement("dd");
    dt.textContent = name;
    dd.append(value);
    pair.append(dt, dd);
    list.append(pair);
  }
  outcome.className = `notice ${kind}`;
  outcome.hidden = false;
  outcome.replaceChildren(heading, list);
}

/** What an event says, folded away: it is long, and every reader wants another part of it. */
function folded(payload: Record<string, unknown>): Node {
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const text = document.createElement("pre");
  summary.textContent = Object.keys(payload).join(", ");
  text.textContent = JSON.stringify(payload, null, 2);
  details.append(summary, text);
  return details;
}

function file(name: string): File | undefined {
  return form?.querySelector<HTMLInputElement>(`input[name="${name}"]`)?.files?.[0] ?? undefined;
}

async function standing(proof: Proof): Promise<string> {
  if (proof.origin !== form?.dataset["origin"]) return say("standing_elsewhere");
  try {
    // Only whoever has the file can ask: its entry's hash is shown.
    const leaf = hex(await sha256(Uint8Array.of(0), utf8.encode(proof.envelope)));
    const answer = await fetch(`/api/v1/proofs/${proof.index}/standing?leaf=${leaf}`);
    const told = (await answer.json()) as { standing?: string };
    return say(`standing_${told.standing ?? "unknown"}`);
  } catch {
    return say("standing_unknown");
  }
}

async function document_matches(payload: Record<string, unknown> | undefined): Promise<string | undefined> {
  const dropped = file("document");
  if (!dropped) return undefined;
  if (dropped.size > DOCUMENT_BYTES_MAX) throw new Wrong("too_long");
  const found = hex(await sha256(new Uint8Array(await dropped.arrayBuffer())));
  if (payload?.["sha256"] !== found) throw new Wrong("document_differs");
  return found;
}

async function check(): Promise<void> {
  const dropped = file("proof");
  if (!dropped || !form) return;
  try {
    if (dropped.size > PROOF_BYTES_MAX) throw new Wrong("too_long");
    const proof = readProof(await dropped.text());
    const typed = form.querySelector<HTMLTextAreaElement>("textarea[name='keys']")?.value ?? "";
    const keys = `${form.dataset["keys"] ?? ""}\n${typed}`.split("\n").map(readKey).filter((key) => key !== undefined);
    const root = btoa(String.fromCharCode(...(await rootOf(proof))));
    if (root !== proof.root) throw new Wrong("not_included");
    const key = await signedBy(proof, keys);
    const envelope = JSON.parse(proof.envelope) as Record<string, unknown>;
    const payload = await checkPayload(proof, envelope);
    const matches = await document_matches(payload);
    const facts: [string, string | Node][] = [
      [say("issuer"), key.name],
      [say("what"), `${String(envelope["kind"])} · ${String(envelope["stream"])}`],
      [say("when"), String(envelope["occurred_at"])],
      [say("place"), `${proof.index} / ${proof.size}`],
      [say("standing"), await standing(proof)],
    ];
    if (matches) facts.push([say("document"), `${say("document_same")} ${matches}`]);
    if (payload?.["functional_reference_id"]) facts.push([say("reference"), String(payload["functional_reference_id"])]);
    if (payload) facts.push([say("says"), folded(payload)]);
    show("good", say("proven"), facts);
  } catch (error) {
    show("bad", say("not_proven"), [[say("why"), say(error instanceof Wrong ? error.message : "malformed")]]);
  }
}

form?.addEventListener("change", () => void check());
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  void check();
});
for (const place of document.querySelectorAll<HTMLElement>("[data-drop]")) {
  const input = place.querySelector<HTMLInputElement>("input[type='file']");
  place.addEventListener("dragover", (event) => event.preventDefault());
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!input || !event.dataTransfer) return;
    input.files = event.dataTransfer.files;
    void check();
  });
}
