/**
 * Times of the server, days and durations as text, as in the terminal (`chat/display.py`).
 * No DOM, no network.
 */
import { _, format } from "./words.js";

const NO_TIME = "--:--";

/**
 * Return a Date as local HH:MM; null is a time that the server did not give.
 * @param {Date | null} time
 */
export function clockTime(time) {
  return time ? `${twoDigits(time.getHours())}:${twoDigits(time.getMinutes())}` : NO_TIME;
}

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
 * Return a day in words.
 * @param {Date} day
 */
export function dayWords(day) {
  const weekdays = [
    _("Sunday"), _("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"),
    _("Saturday"),
  ];
  const months = [
    _("January"), _("February"), _("March"), _("April"), _("May"), _("June"), _("July"),
    _("August"), _("September"), _("October"), _("November"), _("December"),
  ];
  return format(_("{weekday}, {month} {day}, {year}"), {
    weekday: weekdays[day.getDay()],
    month: months[day.getMonth()],
    day: day.getDate(),
    year: day.getFullYear(),
  });
}

/** @param {number} number */
function twoDigits(number) {
  return String(number).padStart(2, "0");
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
