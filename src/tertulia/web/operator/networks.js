/** IP addresses and networks as people write them. The same rules as in `networks.py`. No DOM, no network. */

const BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
const IPV4 = new RegExp(`^${BYTE}(?:\\.${BYTE}){3}$`);

/**
 * Return whether a text is an IP address or a network.
 * @param {string} text
 */
export function isNetwork(text) {
  const found = /^([0-9a-f:.]+)(?:%[^/]*)?(?:\/([0-9.]+))?$/i.exec(text);
  if (found === null) return false;
  const [, address, length = "0"] = found;
  if (IPV4.test(address)) return IPV4.test(length) || isAtMost(length, 32);
  return isIPv6(address) && isAtMost(length, 128);
}

/**
 * @param {string} length
 * @param {number} most
 */
function isAtMost(length, most) {
  return /^[0-9]+$/.test(length) && Number(length) <= most;
}

/** @param {string} address */
function isIPv6(address) {
  try {
    return new URL(`http://[${address}]`).hostname !== "";
  } catch {
    return false;
  }
}
