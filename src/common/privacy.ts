/** What neither part of an address holds: white space and the signs that stand around addresses in text and JSON. */
const BESIDE = /[\s"(),:;<>@[\\\]]/;
const HOST_SIGN = /[A-Za-z0-9.-]/;
const HOST = /^(?:localhost|(?:[A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9])$/;
/** RFC 5321, 4.5.3.1: longer ones are no addresses. */
const LONGEST_LOCAL_PART = 64;
const LONGEST_HOST = 255;

/**
 * Replaces each e-mail address in a text by its first letter and domain: `j***@example.com`. Looks around each @ within
 * fixed bounds, so that no text can make it slow.
 */
export function maskEmails(text: string): string {
  let masked = '';
  let done = 0;
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    let start = at;
    while (start > done && at - start < LONGEST_LOCAL_PART && !BESIDE.test(text.charAt(start - 1))) start -= 1;
    let end = at + 1;
    while (end < text.length && end - at <= LONGEST_HOST && HOST_SIGN.test(text.charAt(end))) end += 1;
    const host = text.slice(at + 1, end).replace(/[.-]+$/, '');
    if (start === at || !HOST.test(host)) continue;
    masked += `${text.slice(done, start)}${text.charAt(start)}***`;
    done = at;
  }
  return masked + text.slice(done);
}
