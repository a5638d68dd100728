// Keeps the page up to date and counts the time left down. The page works without it.
"use strict";

document.documentElement.classList.add("js");

const pause = 3000; // ms between two looks at what changed but sent no message
const breath = 200; // ms at least between two looks, however many messages come
const $ = (id) => document.getElementById(id);
const rows = () => document.querySelector("[data-rows]");
const idOf = (node) => node.nodeType === Node.ELEMENT_NODE && node.getAttribute("id"); // form.id may be an input of that name
const say = (text) => { $("announce").textContent = text; };

// ---- The page follows the emulator, node by node, so that focus, selection, scroll and open rows stay.

let newest = Number(document.body.dataset.newest);
let ahead = Number($("time").dataset.now) - Date.now(); // of the emulator's clock, in ms
let pointed = null; // the list below the mouse
let title = document.title;
let seen = newest; // the newest message when the tab was last in front

// showTitle counts what came while the tab was behind another one.
function showTitle() {
  if (!document.hidden) seen = newest;
  document.title = newest > seen ? title.replace(/^(\(\d+\) )?/, `(${newest - seen} new) `) : title;
}

document.addEventListener("visibilitychange", showTitle);

// held reports whether rows must stay where they are: under the mouse, scrolled, or on a later page.
function held(list) {
  return pointed === list || list.dataset.later !== undefined || list.getBoundingClientRect().top < 0
    || list.contains(document.activeElement) && document.activeElement.matches("pre, input, textarea");
}

// patch makes a node like a fresh one, and keeps what the reader did to it.
function patch(node, fresh) {
  if (node.nodeType !== Node.ELEMENT_NODE) {
    if (node.data !== fresh.data) node.data = fresh.data;
    return;
  }
  if (node.dataset.keep !== undefined) return; // a button that says "Copied"
  const own = (name) => name === "open" && node.matches("details, dialog");
  for (const { name } of [...node.attributes]) if (!fresh.hasAttribute(name) && !own(name)) node.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (!own(name) && node.getAttribute(name) !== value) node.setAttribute(name, value);
  if (node.matches("[data-rows]") && held(node)) patchRows(node, fresh);
  else patchChildren(node, fresh);
}

// patchRows changes rows where they are, without one that comes or goes.
function patchRows(list, fresh) {
  for (const row of fresh.children) {
    const known = $(idOf(row));
    if (known && known.parentElement === list) patch(known, row);
  }
}

function patchChildren(node, fresh) {
  const wanted = new Set([...fresh.children].map(idOf).filter(Boolean));
  for (const child of [...node.children]) if (idOf(child) && !wanted.has(idOf(child))) remove(child);
  const known = new Map([...node.children].filter(idOf).map((child) => [idOf(child), child]));
  let at = node.firstChild;
  for (const child of [...fresh.childNodes]) {
    const same = idOf(child) ? known.get(idOf(child)) : at && !idOf(at) && at.nodeName === child.nodeName ? at : null;
    while (same && at && at !== same && !idOf(at)) at = skip(at); // a node that moves would lose its focus
    if (!same) {
      node.insertBefore(document.adoptNode(child), at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else node.insertBefore(same, at);
    patch(same, child);
  }
  while (at) at = skip(at);
}

// skip removes a node and returns the next one.
function skip(node) {
  const next = node.nextSibling;
  remove(node);
  return next;
}

// remove takes a node away, and gives its focus to the row that takes its place.
function remove(node) {
  if (node.nodeType !== Node.ELEMENT_NODE) {
    node.remove();
    return;
  }
  const focused = node.contains(document.activeElement);
  const heir = node.nextElementSibling || node.previousElementSibling;
  node.remove();
  if (focused) (heir?.querySelector("[data-open], a, button") || $("main")).focus({ preventScroll: true });
}

// hidden counts the rows that came while the list was held.
function waiting(list, fresh) {
  const known = new Set([...list.children].map((row) => row.id));
  const last = Math.max(0, ...[...list.children].map((row) => Number(row.dataset.row) || 0));
  return [...fresh.children].filter((row) => !known.has(row.id) && Number(row.dataset.row) > last).length;
}

// apply shows a fresh page. Its forms and notices are left alone unless notices are wanted.
function apply(page, { force = false, notices = false } = {}) {
  const list = rows(), fresh = list && page.getElementById(list.id);
  if (force) pointed = null;
  const news = list && fresh && held(list) ? list.dataset.later !== undefined ? Number(page.body.dataset.newest) - Number(document.body.dataset.newest) : waiting(list, fresh) : 0;
  newest = Number(page.body.dataset.newest);
  title = page.title;
  showTitle();
  if (!news) document.body.dataset.newest = newest;
  ahead = Number(page.getElementById("time").dataset.now) - Date.now();
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = page.getElementById(part.id);
    if (other) patch(part, other);
  }
  if (notices) toast(page.getElementById("notices"));
  const button = $("news");
  button.hidden = news <= 0;
  if (news > 0) button.textContent = `${news} new ${list.dataset.rows}${news === 1 ? "" : "s"}: show`;
  tick();
}

// toast shows for some seconds what was done, where it moves nothing.
function toast(notices) {
  const text = notices.textContent.trim().replace(/\s+/g, " ");
  const line = $("toast");
  line.hidden = text === "";
  line.className = notices.querySelector(".bad") ? "notice bad" : "notice good";
  line.textContent = text;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { line.hidden = true; }, 8000);
}

async function read(answer) {
  if (answer.status >= 500) throw new Error("the emulator answers " + answer.status);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function refresh(options) {
  const answer = await fetch(document.body.dataset.here, { headers: { Accept: "text/html" } });
  const page = await read(answer);
  const trouble = $("trouble");
  trouble.hidden = answer.ok;
  if (!answer.ok) trouble.textContent = page.getElementById("notices")?.textContent.trim() || `The emulator answers ${answer.status}.`;
  if (answer.ok) apply(page, options);
}

$("news").addEventListener("click", async () => {
  const list = rows();
  if (list.dataset.later) {
    location.assign(list.dataset.later);
    return;
  }
  scrollTo({ top: 0 });
  await refresh({ force: true });
  rows()?.querySelector("[data-open]")?.focus({ preventScroll: true });
});

document.addEventListener("mouseover", (event) => {
  const list = event.target.closest("[data-rows]");
  if (pointed && !list && !$("news").hidden) {
    pointed = null;
    refresh().catch(() => {});
  }
  pointed = list;
});
document.documentElement.addEventListener("mouseleave", () => {
  pointed = null;
  if (!$("news").hidden) refresh().catch(() => {});
});

const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

// something waits for a message, or a pause. A hidden tab does not hold a connection: a browser has
// six to a host, and a seventh tab would get no answer.
async function something(after) {
  if (document.hidden) return sleep(pause);
  const answer = await fetch(`/emulator/v1/messages/wait?after=${after}&timeout=${pause}ms`);
  if (answer.status === 503 || answer.status === 422) await sleep(pause); // too many wait already, or this page is older than a reset: look now and then
  return undefined;
}

async function follow() {
  for (;;) {
    const before = newest;
    try {
      await something(before);
      await refresh();
      $("lost").hidden = true;
      if (newest > before) say(newest === before + 1 ? `Message ${newest} has come.` : `${newest - before} messages have come.`);
      await sleep(breath);
    } catch {
      $("lost").hidden = false;
      await sleep(pause);
    }
  }
}

// ---- Time

function tick() {
  const now = Date.now() + ahead;
  const moment = new Date(now);
  const [date, time] = moment.toISOString().slice(0, 19).split("T");
  const clock = $("time");
  clock.firstElementChild.textContent = date;
  clock.lastElementChild.textContent = time;
  clock.title = `The emulator’s time. Here it is ${moment.toLocaleString()}`;
  document.querySelectorAll("time[data-local]").forEach((time) => { // for those who cannot hover
    const local = ` (here ${new Date(time.dateTime).toLocaleString()})`;
    if (!time.textContent.endsWith(local)) time.append(local);
  });
  document.querySelectorAll("[data-until]").forEach((time) => {
    const seconds = Math.ceil((Number(time.dataset.until) - now) / 1000);
    time.textContent = seconds > 0 ? left(seconds) : "";
    if (seconds > 0) return;
    const state = time.previousElementSibling;
    state.className = "state expired";
    state.textContent = "expired";
    time.closest(".live")?.classList.remove("live");
  });
}

function left(seconds) {
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  if (hours > 438000) return "for ever";
  if (hours > 47) return `${Math.floor(hours / 24)} days left`;
  if (hours > 0) return `${hours} h ${minutes % 60} min left`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s left` : `${seconds} s left`;
}

// A moment's tooltip has the local time too.
document.addEventListener("mouseover", (event) => {
  const time = event.target.closest("time[datetime]");
  if (!time || time.id === "time") return;
  const moment = new Date(time.dateTime);
  if (!time.title.includes("here")) time.title = `${time.title || time.textContent} (here ${moment.toLocaleString()})`;
});

document.querySelector("[data-focus]")?.focus();
if (/[?&]said=/.test(location.search)) history.replaceState(null, "", document.body.dataset.here); // the word was said; a reload does not say it again
setInterval(tick, 1000);
tick();
follow();
