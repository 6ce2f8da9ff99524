/** The attendance: a dialog with a table, and a file for spreadsheets (as `attendance_csv.py`). */
import { parseTime } from "../clock.js";
import { element } from "../dom.js";
import { visible, visibleInALine } from "../safetext.js";
import { openDialog } from "../dialogs/dialog.js";
import { dateAndTime } from "../dialogs/moments.js";
import { _ } from "../words.js";
import { refused } from "./words.js";

/** @typedef {import("../chat.js").Chat} Chat */
/** @typedef {{name: string, address: string, joined: string, left?: string, reason?: string}} Row */

const DAY_ONE = new Date(0); // so that every time is shown with its date

/**
 * Show who was here, or download it.
 * @param {Chat} chat
 * @param {string} [file] the name for the download; without it, the table is shown
 */
export async function showAttendance(chat, file) {
  const state = element("p", { "aria-live": "polite" }, "…");
  const dialog = openDialog(_("Who was here"), state);
  dialog.classList.add("wide");
  const rows = await fetchRows(chat);
  if (!Array.isArray(rows)) {
    state.textContent = visible(refused({ type: "attendance" }, rows));
    return;
  }
  state.remove();
  const download = () => save(file ?? "tertulia.csv", csv(rows));
  const button = element("button", { type: "button", class: "primary", click: download }, _("Download as CSV"));
  dialog.append(button, tableOf(rows));
  button.focus();
  if (file) download();
}

/**
 * Return all sessions, or the answer that refuses them.
 * @param {Chat} chat
 * @returns {Promise<Row[] | any>}
 */
async function fetchRows(chat) {
  /** @type {Row[]} */
  const rows = [];
  for (;;) {
    const since = rows.at(-1)?.joined;
    const answer = await chat.ask({ type: "attendance", ...(since && { since }) });
    if (answer?.type !== "attendance") return answer;
    rows.push(...answer.sessions);
    if (!answer.more || answer.sessions.length === 0) return rows;
  }
}

/** @param {Row[]} rows */
function tableOf(rows) {
  const head = [_("Name"), _("Address"), _("Joined"), _("Left")];
  const line = (/** @type {string} */ kind, /** @type {string[]} */ cells) =>
    element("tr", {}, ...cells.map((cell) => element(kind, {}, cell)));
  const time = (/** @type {string | undefined} */ stamp) =>
    stamp ? dateAndTime(parseTime(stamp), DAY_ONE) : "";
  const body = rows.map(({ name, address, joined, left }) =>
    line("td", [visibleInALine(name), visibleInALine(address), time(joined), time(left)]),
  );
  return element("table", {}, element("thead", {}, line("th", head)), element("tbody", {}, ...body));
}

/**
 * Return the sessions as CSV, with local times. No cell can be a formula.
 * @param {Row[]} rows
 */
export function csv(rows) {
  const lines = [["name", "address", "joined", "left", "reason"]];
  for (const { name, address, joined, left = "", reason = "" } of rows) {
    lines.push([name, address, localTime(joined), localTime(left), reason]);
  }
  return lines.map((cells) => `${cells.map(cellOf).join(",")}\n`).join("");
}

/** @param {string} text */
function cellOf(text) {
  const harmless = visibleInALine(text);
  const cell = /^\s*[=+@-]/.test(harmless) ? `'${harmless}` : harmless;
  return /[",]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** @param {string} stamp */
function localTime(stamp) {
  const time = parseTime(stamp);
  if (time === null) return stamp;
  const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
  const offset = -time.getTimezoneOffset();
  const ahead = Math.abs(offset);
  return `${date}T${clock}${offset < 0 ? "-" : "+"}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
}

/**
 * @param {string} name
 * @param {string} text
 */
function save(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
