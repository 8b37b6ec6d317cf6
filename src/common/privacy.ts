const MAILBOX = /([A-Za-z0-9._%+-])[A-Za-z0-9._%+-]*@([A-Za-z0-9.-]+\.[A-Za-z]{2,}|localhost)/g;

/** Replaces each e-mail address in a text by its first letter and domain: `j***@example.com`. */
export function maskEmails(text: string): string {
  return text.replace(MAILBOX, '$1***@$2');
}
