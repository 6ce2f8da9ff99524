/** What calls for attention outside of the page: a sound, and a notification where they are allowed. */

import { speakerWords } from "../event-words.js";
import { visible } from "../safetext.js";
import { _, format } from "../words.js";

/** @typedef {import("../attention.js").Alert} Alert */

const BEEP_S = 0.15;
const BEEP_HZ = 880;

/** @type {AudioContext | null} */
let audio = null; // from the first sound on

/** Make a sound. */
export function beep() {
  audio ??= new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  const now = audio.currentTime;
  tone.frequency.value = BEEP_HZ;
  volume.gain.setValueAtTime(0.1, now);
  volume.gain.exponentialRampToValueAtTime(0.001, now + BEEP_S);
  tone.connect(volume).connect(audio.destination);
  tone.start(now);
  tone.stop(now + BEEP_S);
}

/**
 * Call for attention for a message.
 * @param {Alert} alert
 * @param {(name: string) => void} open opens a conversation
 */
export function ring({ message, isDirect }, open) {
  beep();
  if (!window.isSecureContext || !("Notification" in window)) return;
  if (Notification.permission !== "granted") return;
  const name = speakerWords(message.sender, message.hook);
  const shown = new Notification(
    isDirect ? format(_("Direct message from {name}"), { name }) : name,
    { body: visible(message.text).slice(0, 200), icon: "icon.svg", tag: "tertulia" },
  );
  shown.onclick = () => {
    window.focus();
    open(message.conversation);
    shown.close();
  };
}
