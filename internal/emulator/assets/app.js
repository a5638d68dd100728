// Keeps the page up to date, counts the time left down, and copies. The page works without it.
"use strict";

document.documentElement.classList.add("js");

const pause = 3000; // ms between two looks at what changed but sent no message
const breath = 200; // ms at least between two looks, however many messages come
const live = () => [...document.querySelectorAll("[data-live]")];
const newest = () => Number(document.getElementById("list").dataset.newest);

// shape is what a part of the page holds apart from the times that go on by themselves.
const shape = (part) => {
  const copy = part.cloneNode(true);
  copy.querySelectorAll("[data-until]").forEach((time) => { time.textContent = ""; });
  return copy.outerHTML;
};
const shapes = new Map(live().map((part) => [part.id, shape(part)]));

// inUse tells whether replacing the part would take something out of the reader's hands.
const inUse = (part) => {
  const chosen = document.getSelection();
  return part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea, pre")
    || chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode)
    || part.querySelector("details[open]") !== null;
};

const clock = document.getElementById("clock");
let ahead = Number(clock.dataset.now) - Date.now(); // of the emulator's clock, in ms

function tick() {
  const now = Date.now() + ahead;
  const [date, time] = new Date(now).toISOString().slice(0, 19).split("T");
  clock.firstElementChild.textContent = date;
  clock.lastElementChild.textContent = time;
  document.querySelectorAll("[data-until]").forEach((time) => {
    const seconds = Math.ceil((Number(time.dataset.until) - now) / 1000);
    time.textContent = seconds > 0 ? left(seconds) : "";
    if (seconds <= 0) {
      const state = time.previousElementSibling;
      state.className = "state expired";
      state.textContent = "expired";
      time.closest(".message").classList.remove("live");
    }
  });
}

function left(seconds) {
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  if (hours > 47) return `${Math.floor(hours / 24)} days left`;
  if (hours > 0) return `${hours} h ${minutes % 60} min left`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s left` : `${seconds} s left`;
}

async function refresh() {
  const url = new URL(location.href);
  url.hash = "";
  const answer = await fetch(url, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error("the page answers " + answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const before = newest();
  const now = page.getElementById("clock").dataset.now;
  ahead = Number(now) - Date.now();
  document.title = page.title;
  for (const part of live()) {
    const fresh = page.getElementById(part.id);
    if (!fresh || inUse(part)) continue;
    const changed = shape(fresh);
    if (shapes.get(part.id) === changed) continue;
    shapes.set(part.id, changed);
    const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
    part.replaceWith(document.adoptNode(fresh));
    if (focused) fresh.querySelector(`[aria-label="${CSS.escape(focused)}"]`)?.focus();
  }
  if (newest() > before) document.getElementById("announce").textContent = `Message ${newest()} has come.`;
  tick();
}

const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

// something waits for a message, or a pause. A hidden tab does not hold a connection: a browser has
// six to a host, and a seventh tab would get no answer.
async function something(after) {
  if (document.hidden) return sleep(pause);
  const answer = await fetch(`/emulator/v1/messages/wait?after=${after}&timeout=${pause}ms`);
  if (!answer.ok) throw new Error("the emulator answers " + answer.status);
}

async function follow() {
  const lost = document.getElementById("lost");
  let known = newest(); // unlike the page's, it goes on while the reader holds a part
  for (;;) {
    try {
      await something(known);
      const answer = await fetch("/emulator/v1/messages?limit=1");
      const list = await answer.json();
      known = list.messages.length ? list.messages[0].id : 0;
      await refresh();
      lost.hidden = true;
      await sleep(breath);
    } catch {
      lost.hidden = false;
      await sleep(pause);
    }
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const copied = await copy(button);
  const label = button.textContent;
  button.textContent = copied ? "Copied" : "Press Ctrl-C";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
  document.getElementById("announce").textContent = copied ? "Copied." : label;
});

// copy falls back to a selection where the page has no clipboard: on plain http from another machine.
async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    return true;
  } catch {
    const shown = button.parentElement.querySelector("code");
    if (shown) document.getSelection().selectAllChildren(shown);
    return false;
  }
}

if (location.search.includes("said=")) {
  const url = new URL(location.href);
  url.searchParams.delete("said");
  history.replaceState(null, "", url); // the word was said; a reload does not say it again
}
setInterval(tick, 1000);
tick();
follow();
