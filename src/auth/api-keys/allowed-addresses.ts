import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** What is wrong with an address or range (CIDR, RFC 4632 and 4291); undefined when nothing is. */
export function faultOfAddress(text: string): string | undefined {
  const [address = '', bits, ...rest] = text.split('/');
  const isAddress = isIPv4(address) || (isIPv6(address) && !address.includes('%'));
  if (!isAddress || rest.length > 0)
    return 'Must be addresses or ranges such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48';
  if (/^::ffff:/i.test(address)) return 'Must have IPv4 addresses written as such';
  if (bits === undefined) return undefined;
  const most = isIPv4(address) ? 32 : 128;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= most
    ? undefined
    : `Must have a prefix of 0 to ${most} bits behind the slash`;
}

/** Whether an address is one of those allowed; no list allows all. An IPv4 address may come in IPv6's clothes. */
export function isAllowed(allowed: readonly string[], ip: string): boolean {
  if (allowed.length === 0) return true;
  const address = ip.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv4(address) && !isIPv6(address)) return false;
  const family = familyOf(address);
  const list = new BlockList();
  for (const each of allowed) {
    const [start = '', bits = family === 'ipv4' ? '32' : '128'] = each.split('/');
    // Node finds every IPv4 address in ranges of IPv6 that begin with zeros
    if (familyOf(start) === family) list.addSubnet(start, Number(bits), family);
  }
  return list.check(address, family);
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}
