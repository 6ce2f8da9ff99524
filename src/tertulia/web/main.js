/**
 * The start of the page: it makes the store (`chat.js`) and the parts of the screen, and lets them
 * follow the store.
 */
import { Attention } from "./attention.js";
import { Chat } from "./chat.js";
import { loadCommands } from "./commands.js";
import { byId, setText } from "./dom.js";
import { notConnected } from "./explain.js";
import { whenOrderWordsCome } from "./order-words.js";
import { Pace } from "./pace.js";
import { Composer } from "./screen-composer.js";
import { ConnectionView, Drawers, Frame, OwnStatus } from "./screen-frame.js";
import { JoinView } from "./screen-join.js";
import { ConversationList, PeopleList } from "./screen-lists.js";
import { LogView } from "./screen-log.js";
import { BROWSER_TIMERS } from "./session.js";
import { recall, remember } from "./settings.js";
import { language, setLanguage } from "./words.js";

/** @typedef {import("./words.js").Language} Language */
/** @typedef {import("./order/extras.js").Extras} Extras */

const LANGUAGES = { es: "Español", en: "English" };
/** @type {NodeListOf<HTMLButtonElement>} */
const languageButtons = document.querySelectorAll(".language");

const link = takeLink();
await Promise.all([loadCommands(), setLanguage(firstLanguage())]);

const scheme = location.protocol === "https:" ? "wss:" : "ws:";
const chat = new Chat({ url: `${scheme}//${location.host}/ws`, storage: sessionStorage });

const drawers = new Drawers();
const log = new LogView(chat, watch, showSeen);
const composer = new Composer(chat, carryOut);
const join = new JoinView(chat);
/** @type {any[]} */
const inside = [
  new Frame(chat),
  new ConnectionView(chat),
  new OwnStatus(chat),
  new ConversationList(chat, open),
  new PeopleList(chat, showPersonOf),
  composer,
  log,
];
const attention = new Attention(chat, isWatched, ring);
/** @type {Promise<Extras> | null} */
let extras = null;

/** @returns {Language} */
function firstLanguage() {
  const wanted = [
    new URLSearchParams(location.search).get("lang"),
    recall("language"),
    ...navigator.languages,
  ];
  const known = wanted.map((tag) => tag?.slice(0, 2)).find((tag) => tag === "es" || tag === "en");
  return known ?? "en";
}

/** Return the words for something that could not be loaded. Unlike `notConnected`, they are not taken back. */
const notLoaded = () => notConnected();

/** @param {Language} wanted */
async function changeLanguage(wanted) {
  try {
    await setLanguage(wanted);
  } catch (error) {
    console.error(error);
    composer.hint(notLoaded);
    return;
  }
  remember("language", wanted);
  refresh();
}

function translate() {
  document.documentElement.lang = language();
  const other = language() === "es" ? "en" : "es";
  for (const button of languageButtons) {
    button.lang = other;
    setText(button, LANGUAGES[other]);
  }
  for (const part of [drawers, join, ...inside]) {
    if ("translate" in part) part.translate();
  }
}

/** Show everything as the store has it now. */
function update() {
  const isInside = chat.stage === "inside";
  if (chat.isConnected && (chat.nodes || chat.state?.isOrderKept) && !extras) withExtras(() => {});
  const wasInside = !byId("chat").hidden;
  const wasOutside = !byId("join").hidden;
  byId("join").hidden = isInside;
  byId("chat").hidden = !isInside;
  if (isInside) {
    for (const part of inside) part.update();
    if (!wasInside) composer.focus();
  } else {
    join.update();
    if (!wasOutside) join.focus();
  }
}

/**
 * Do something with the parts of the page that a visit does not need at first.
 * @param {(extras: Extras) => void} use
 */
async function withExtras(use) {
  try {
    extras ??= import("./order/extras.js").then(
      (module) => new module.Extras(chat, { inside, log, composer, open, refresh, showSeen }),
    );
    await use(await extras.catch(forgetExtras));
  } catch (error) {
    console.error(error);
    composer.hint(notLoaded);
  }
}

/** @param {unknown} error @returns {never} */
function forgetExtras(error) {
  extras = null; // the next caller loads them again
  throw error;
}

function refresh() {
  translate();
  update();
}

function showHelp() {
  withExtras((it) => it.showHelp());
}

/** @param {string} name */
function showPersonOf(name) {
  withExtras((it) => it.showPerson(name));
}

/** @param {import("./attention.js").Alert} alert */
function ring(alert) {
  withExtras((it) => it.ring(alert));
}

/** @param {number} seq */
function showSeen(seq) {
  withExtras((it) => it.showSeen(seq));
}

/** @param {string} words */
function showFound(words) {
  withExtras((it) => it.showFound(words));
}

/** Take the fragment out of the link, before all else: nobody shall read a code or a secret there. */
function takeLink() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  return fragment;
}

/** @param {URLSearchParams} fragment */
function useLink(fragment) {
  const code = fragment.get("code");
  const secret = fragment.get("operator");
  if (code) join.takeCode(code);
  if (secret) withExtras((it) => it.carryOut("operator", secret));
}

/**
 * Carry out a command that is not a request to the server.
 * @param {string} command
 * @param {string} argument
 * @param {any} [request] of an operator
 */
function carryOut(command, argument, request) {
  switch (command) {
    case "help":
      return showHelp();
    case "info":
      return showPersonOf(argument || chat.me.name);
    case "search":
      return showFound(argument);
    case "people":
      return drawers.show("right");
    case "language":
      return changeLanguage(argument === "es" ? "es" : "en");
    case "leave":
      return chat.leave();
    default:
      return withExtras((it) => it.carryOut(command, argument, request));
  }
}

/** @param {string} name */
function open(name) {
  chat.open(name);
  drawers.close();
  composer.focus();
}

function isWatched() {
  return !document.hidden && document.hasFocus() && log.isFollowing;
}

function watch() {
  chat.setWatched(isWatched());
}

const pace = new Pace(update, BROWSER_TIMERS, (draw) => requestAnimationFrame(draw));
chat.subscribe(() => {
  attention.update();
  pace.request();
});
addEventListener("input", () => pace.noteTyping());

whenOrderWordsCome(refresh);
addEventListener("hashchange", () => useLink(takeLink()));
for (const event of ["focus", "blur"]) addEventListener(event, watch);
addEventListener("online", () => chat.wakeUp());
document.addEventListener("visibilitychange", () => {
  watch();
  if (!document.hidden) chat.wakeUp();
});
byId("help").addEventListener("click", showHelp);
byId("leave").addEventListener("click", () => chat.leave());
byId("search-form").addEventListener("submit", (/** @type {Event} */ event) => {
  event.preventDefault();
  const words = byId("search").value.trim();
  if (words) showFound(words);
});
for (const button of languageButtons) {
  button.addEventListener("click", () => changeLanguage(button.lang === "es" ? "es" : "en"));
}

document.documentElement.dataset.theme = recall("theme");
translate();
useLink(link);
watch();
if (chat.resume() && chat.secret) withExtras((it) => it.carryOut("operator", chat.secret));
update();
