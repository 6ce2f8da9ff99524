/** The help: what can be typed and pressed, and what the signs mean. */
import { knownCommands, wordOf } from "../commands.js";
import { element } from "../dom.js";
import { _ } from "../words.js";
import { openDialog, table } from "./dialog.js";

/** @typedef {Record<string, {help: string, words?: string}>} HelpTexts the msgids, by the keys */

/** @type {HelpTexts | null} */
let loaded = null;

/** Return what the help says of each command. */
export async function loadHelp() {
  loaded ??= /** @type {HelpTexts} */ (
    await (await fetch(new URL("help.json", import.meta.url))).json()
  );
  return loaded;
}

/** Show what can be typed and pressed, and what the signs mean. */
export async function showHelp() {
  const texts = await loadHelp();
  const parts = [
    { title: _("What you can type"), rows: helpRows(texts) },
    { title: _("Keys"), rows: keyRows() },
    { title: _("Symbols"), rows: signRows() },
  ];
  const content = parts.flatMap(({ title, rows }) => [element("h3", {}, title), table(rows)]);
  openDialog(_("Help"), ...content).classList.add("wide");
}

function keyRows() {
  return [
    [_("Enter"), _("send; in a list, choose")],
    ["Shift+Enter", _("start a new line")],
    ["Tab", _("complete a name or a command; press again for the next one")],
    ["Esc", _("close a dialog")],
  ];
}

function signRows() {
  return [
    ["● ◐ ○", "ACTIVO, OCUPADO, INACTIVO"],
    ["…", _("on its way")],
    ["✓", _("delivered; press it to see who has seen the message")],
    ["✗", _("not delivered")],
    ["?", _("may not have been delivered; also every status while there is no connection")],
    ["#", _("a program wrote this, through a hook")],
    ["!", _("contains your name; in the list, an unread mention or direct message")],
  ];
}

/**
 * Return the rows of the help: what can be typed, and what it does.
 * @param {HelpTexts} texts
 * @returns {[string, string][]}
 */
export function helpRows(texts) {
  const text = _("TEXT");
  /** @type {[string, string][]} */
  const help = [
    [text, _("send it to everyone")],
    [_("@NAME TEXT"), _("send it only to that person (a direct message)")],
  ];
  for (const row of knownCommands()) {
    const { help: about, words = row.words } = texts[row.key] ?? row; // one of operators has all
    const typed = [...new Set([wordOf(row), row.spanish, row.english])].join(", ");
    help.push([words ? `${typed} ${_(words)}` : typed, _(String(about))]);
  }
  help.push([`//${text}, @@${text}`, _("send a text that begins with “/” or “@”")]);
  return help;
}
