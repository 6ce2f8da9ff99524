/**
 * Links to the other servers of a chat, for when the page cannot reach any of them by itself: a browser
 * connects over TLS only to servers whose certificates it trusts, and asks about another certificate
 * only where the person opens the server's page.
 */
import { byId, element, setText } from "../dom.js";
import { recall } from "../settings.js";
import { _ } from "../words.js";

/** @typedef {import("../chat.js").Chat} Chat */

export class NodeLinks {
  /** @type {Chat} */
  #chat;
  #words = element("span", {});
  #links = element("span", {});
  #node = element("p", { class: "pinned small", role: "note", hidden: true }, this.#words, this.#links);

  /** @param {Chat} chat */
  constructor(chat) {
    this.#chat = chat;
    byId("middle").querySelector(".top").after(this.#node);
  }

  translate() {
    const words = _("This page cannot connect to the other servers of the chat. Open one of them:");
    setText(this.#words, words);
  }

  update() {
    const { nodes, isConnected } = this.#chat;
    const urls = isConnected || !nodes?.isStuck ? [] : nodes.urls;
    const hosts = urls.map((url) => new URL(url).host).filter((host) => host !== location.host);
    this.#node.hidden = hosts.length === 0;
    if (hosts.join() === [...this.#links.children].map((link) => link.textContent).join()) return;
    this.#links.replaceChildren(...hosts.flatMap((host) => [" ", linkTo(host)]));
  }
}

/**
 * Return a link to the page of a server, which lets the person in with the same code.
 * @param {string} host
 */
function linkTo(host) {
  const code = recall("code");
  const fragment = code ? `#${new URLSearchParams({ code })}` : "";
  return element("a", { href: `${location.protocol}//${host}/${fragment}` }, host);
}
