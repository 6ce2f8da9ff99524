/**
 * Moments and durations as text, as in the terminal (`chat/display.py`): what the first visit has no
 * need of. No DOM, no network.
 */
import { clockTime, twoDigits } from "../times.js";

/**
 * Return a Date as local HH:MM, after its date unless that is the day of `today`.
 * @param {Date | null} time
 * @param {Date} today
 */
export function dateAndTime(time, today) {
  if (!time || time.toDateString() === today.toDateString()) return clockTime(time);
  const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()];
  return `${date.map(twoDigits).join("-")} ${clockTime(time)}`;
}

/**
 * Return a number of seconds in its two largest units: `duration(7500)` is `2 h 5 min`.
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return twoUnits(whole, 60, "min", 1, "s");
  if (whole < 86400) return twoUnits(whole, 3600, "h", 60, "min");
  return twoUnits(whole, 86400, "d", 3600, "h");
}

/**
 * @param {number} seconds
 * @param {number} large
 * @param {string} largeUnit
 * @param {number} small
 * @param {string} smallUnit
 */
function twoUnits(seconds, large, largeUnit, small, smallUnit) {
  const rest = Math.floor((seconds % large) / small);
  const first = `${Math.floor(seconds / large)} ${largeUnit}`;
  return rest ? `${first} ${rest} ${smallUnit}` : first;
}
