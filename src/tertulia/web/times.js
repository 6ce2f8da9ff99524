/**
 * Times of the server and days as text, as in the terminal (`chat/display.py`).
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
export function twoDigits(number) {
  return String(number).padStart(2, "0");
}
