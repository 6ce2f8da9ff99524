/** The words for ignoring a person: the same as in the terminal (`chat/ignored.py`). No DOM. */

import { commandWord } from "../commands.js";
import { keyOf } from "../names.js";
import { visibleInALine } from "../safetext.js";
import { _, format, ngettext } from "../words.js";

/**
 * Ignore a person, stop ignoring a person, or list the ignored ones; return words about it.
 * @param {import("../chat.js").Chat} chat
 * @param {string} command "ignore" or "unignore"
 * @param {string} typed the name; "" to list
 * @returns {() => string}
 */
export function ignoring(chat, command, typed) {
  const { ignored, me } = chat;
  if (typed === "") {
    const { listed } = ignored;
    return () => listed.map(countWords).join("\n") || _("You ignore nobody.");
  }
  const registered = chat.state?.registeredName(typed) ?? typed;
  const name = visibleInALine(registered);
  const found = ignored.find(registered);
  if (command === "unignore") {
    if (!found) return () => format(_("You do not ignore {name}."), { name });
    ignored.remove(registered);
    const count = found.hidden;
    return () => {
      const text = ngettext(
        "You see again what {name} writes. {count} message was hidden.",
        "You see again what {name} writes. {count} messages were hidden.",
        count,
      );
      return format(text, { name, count });
    };
  }
  if (keyOf(registered) === keyOf(me.name)) return () => _("You cannot ignore yourself.");
  if (found) return () => format(_("You ignore {name} already."), { name });
  ignored.add(registered);
  return () =>
    format(_("You no longer see what {name} writes. {command} {name} ends that."), {
      name,
      command: commandWord("unignore"),
    });
}

/** @param {{name: string, hidden: number}} row */
function countWords({ name, hidden: count }) {
  const text = ngettext("{name}: {count} message hidden", "{name}: {count} messages hidden", count);
  return format(text, { name: visibleInALine(name), count });
}
