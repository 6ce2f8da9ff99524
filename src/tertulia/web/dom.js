/** The little that the parts of the screen share to make and change elements. */

const MAX_SPOKEN = 5; // lines that a screen reader may still have to say

/**
 * Return the element with an id of `index.html`. It is `any`, because only the page knows its kind.
 * @param {string} id
 * @returns {any}
 */
export const byId = (id) => document.getElementById(id);

/**
 * Let a screen reader say some lines.
 * @param {...string} lines
 */
export function announce(...lines) {
  const announcer = byId("announcer");
  announcer.append(...lines.map((line) => element("p", {}, line)));
  while (announcer.childElementCount > MAX_SPOKEN) announcer.firstElementChild.remove();
}

/**
 * Make an element. An attribute that is a function listens to the event of that name; one that is
 * false is left out.
 * @param {string} tag
 * @param {Record<string, string | boolean | ((event: any) => void)>} attributes
 * @param {...(Node | string)} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/**
 * Show a text; the same one again costs nothing.
 * @param {Element} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Set an attribute; the same value again costs nothing.
 * @param {Element} node
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/**
 * A list of elements that follows a list of items. An unchanged item keeps its element, and so
 * the focus and the selection in it.
 * @template Item
 */
export class Rows {
  #parent;
  #describe;
  /** @type {Map<string, {item: Item, node: HTMLElement}>} */
  #rows = new Map(); // by key
  #isStale = false; // all have to be painted again

  /**
   * `keyOf(item)` returns an item's lasting key, `isSame(old, item)` whether it looks the same,
   * `paint(item, node)` returns its element: a new one, or `node`, the present one, changed.
   * @param {Element} parent
   * @param {{keyOf: (item: Item) => string, isSame: (old: Item, item: Item) => boolean,
   *   paint: (item: Item, node?: HTMLElement) => HTMLElement}} describe
   */
  constructor(parent, describe) {
    this.#parent = parent;
    this.#describe = describe;
  }

  /**
   * Show these items, in this order.
   * @param {Item[]} items
   */
  show(items) {
    const { keyOf, isSame, paint } = this.#describe;
    const rows = new Map();
    for (const item of items) {
      const key = keyOf(item);
      const row = this.#rows.get(key);
      const isKept = row && !this.#isStale && isSame(row.item, item);
      const node = isKept ? row.node : paint(item, row?.node);
      if (row && row.node !== node) row.node.replaceWith(node);
      rows.set(key, { item, node });
    }
    for (const [key, { node }] of this.#rows) if (!rows.has(key)) node.remove();
    let place = this.#parent.firstElementChild;
    for (const { node } of rows.values()) {
      if (node === place) place = node.nextElementSibling;
      else this.#parent.insertBefore(node, place);
    }
    this.#rows = rows;
    this.#isStale = false;
  }

  /** Let `show` paint all rows again: in another language, for example. */
  repaint() {
    this.#isStale = true;
  }

  /** Remove all rows. */
  clear() {
    for (const { node } of this.#rows.values()) node.remove();
    this.#rows.clear();
  }

  /**
   * Return the element of the item with this key, if it is shown.
   * @param {string} key
   */
  nodeOf(key) {
    return this.#rows.get(key)?.node;
  }

  /** All items that are shown, each with its element, in order. */
  entries() {
    return this.#rows.entries();
  }
}
