// Asks before what cannot be taken back, sends forms without leaving the page, copies, and reads keys.
// It builds on live.js.
"use strict";

// ---- Forms: ask before what cannot be taken back, and stay on the page

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.ask && !form.dataset.sure) {
    event.preventDefault();
    ask(form, event.submitter);
    return;
  }
  if (form.dataset.quick === undefined) {
    if (form.dataset.sure) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "sure", value: "yes" }));
    return;
  }
  delete form.dataset.sure;
  event.preventDefault();
  send(form, event.submitter);
});

function ask(form, submitter) {
  const dialog = $("ask");
  $("ask-title").textContent = form.dataset.ask;
  $("ask-text").textContent = form.dataset.askText;
  $("ask-yes").textContent = form.dataset.yes;
  dialog.returnValue = "no";
  dialog.onclose = () => {
    if (dialog.returnValue !== "yes") return;
    form.dataset.sure = "yes";
    form.requestSubmit(submitter);
  };
  dialog.showModal();
  dialog.querySelector("[value=no]").focus();
}

async function send(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  if (form.dataset.ask) body.set("sure", "yes");
  if (!body.has("back") || form.closest("[data-live]")) body.set("back", document.body.dataset.here);
  try {
    const page = await read(await fetch(form.getAttribute("action"), { method: "POST", body }));
    apply(page, { notices: true, force: true });
    if (page.body.dataset.here !== document.body.dataset.here) await refresh({ force: true });
    if (document.activeElement === document.body) $("main").focus({ preventScroll: true });
  } catch {
    $("lost").hidden = false;
  }
}

// ---- Copying

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

async function copy(button) {
  const copied = await toClipboard(button);
  button.dataset.keep = "";
  button.textContent = copied ? "Copied" : "Press Ctrl-C";
  say(copied ? "Copied." : "Press Ctrl-C to copy what is selected.");
  setTimeout(() => { button.textContent = "Copy"; delete button.dataset.keep; }, 1500);
}

// toClipboard falls back to a selected field: on plain http from another machine there is no clipboard.
async function toClipboard(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    return true;
  } catch {
    const field = document.createElement("input");
    field.readOnly = true;
    field.className = "copying";
    field.value = button.dataset.copy;
    field.setAttribute("aria-label", button.getAttribute("aria-label"));
    button.after(field);
    field.focus({ preventScroll: true });
    field.select();
    const done = document.execCommand("copy");
    const away = () => { field.remove(); button.focus({ preventScroll: true }); };
    if (done) away();
    else field.addEventListener("blur", () => field.remove());
    return done;
  }
}

// ---- Keys

const store = "kii-emulator-keys";
let go = false; // whether g was pressed

function stored(value) {
  try {
    if (value !== undefined) localStorage.setItem(store, value);
    return localStorage.getItem(store);
  } catch {
    return null; // the browser keeps nothing
  }
}

$("keys-on").checked = stored() !== "off";
$("keys-on").addEventListener("change", (event) => stored(event.target.checked ? "on" : "off"));
$("show-keys").addEventListener("click", () => $("keys").showModal());

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !$("keys-on").checked) return;
  if (event.target.matches("input:not([type=checkbox]), select, textarea") || document.querySelector("dialog[open]")) return;
  const went = go;
  go = false;
  const place = went && { m: "/", u: "/users", c: "/calls", f: "/faults", s: "/settings" }[event.key];
  const keys = {
    "/": () => document.querySelector("[data-search]")?.focus(),
    "?": () => $("keys").showModal(),
    j: () => step(1),
    k: () => step(-1),
    c: () => row()?.querySelector("[data-copy]")?.click(),
    g: () => { go = true; },
  };
  const act = place ? () => location.assign(place) : keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

const row = () => document.activeElement.closest("[data-row]");

function step(by) {
  const all = [...document.querySelectorAll("[data-row]")];
  const at = all.indexOf(row());
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
  next?.querySelector("[data-open]")?.focus();
}

// A menu closes when one presses Escape, or elsewhere.
document.addEventListener("click", (event) => {
  document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.activeElement.closest("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
