import { classify, type FailureKind, failureOf, isAboutRecipient } from './delivery-failure.js';

/** An error as nodemailer makes it: code, what the server said, and the command it said it to. */
const smtpError = (code: string, responseCode?: number, command?: string, response?: string): Error =>
  Object.assign(new Error('x'), { code, command, response, ...(responseCode === undefined ? {} : { responseCode }) });

describe('classify', () => {
  it.each<[string, Error, FailureKind]>([
    ['an unknown recipient (550)', smtpError('EENVELOPE', 550, 'RCPT TO'), 'refused'],
    ['a recipient that moved (551)', smtpError('EENVELOPE', 551, 'RCPT TO'), 'refused'],
    ['a mailbox over its quota for good (552)', smtpError('EENVELOPE', 552, 'RCPT TO'), 'refused'],
    ['a malformed recipient (553)', smtpError('EENVELOPE', 553, 'RCPT TO'), 'refused'],
    ['a host that takes no mail (556)', smtpError('EENVELOPE', 556, 'RCPT TO'), 'refused'],
    ['a message called spam (554)', smtpError('EMESSAGE', 554, 'DATA'), 'refused'],
    ['a message that is too large (552)', smtpError('EMESSAGE', 552, 'DATA'), 'refused'],
    ['the lowest permanent code (500)', smtpError('EMESSAGE', 500, 'DATA'), 'refused'],
    [
      'a message too large for the server (552), as it says before it',
      smtpError('EENVELOPE', 552, 'MAIL FROM', '552 5.3.4 too big'),
      'refused',
    ],
    ['a message too large by what the server said', smtpError('EMESSAGE', undefined, 'MAIL FROM'), 'refused'],
    ['an address that nodemailer itself refuses', smtpError('EENVELOPE', undefined, 'API'), 'refused'],
    ['a greylisted recipient (450)', smtpError('EENVELOPE', 450, 'RCPT TO'), 'postponed'],
    ['a local error of the server (451)', smtpError('EENVELOPE', 451, 'RCPT TO'), 'postponed'],
    ['a mailbox that is full for now (452)', smtpError('EENVELOPE', 452, 'RCPT TO'), 'postponed'],
    ['a message not taken for now (451)', smtpError('EMESSAGE', 451, 'DATA'), 'postponed'],
    [
      'a recipient of whom it takes none now (4.7.1)',
      smtpError('EENVELOPE', 451, 'RCPT TO', '451 4.7.1 greylisted'),
      'postponed',
    ],
    [
      'a server that is full (4.3.1)',
      smtpError('EENVELOPE', 452, 'RCPT TO', '452 4.3.1 insufficient storage'),
      'outage',
    ],
    [
      'a server that is shutting down (4.3.2)',
      smtpError('EMESSAGE', 451, 'DATA', '451-4.3.2 going down\n451 4.3.2 later'),
      'outage',
    ],
    ['the highest temporary code (499)', smtpError('EMESSAGE', 499, 'DATA'), 'postponed'],
    ['no connection', smtpError('ESOCKET', undefined, 'CONN'), 'outage'],
    ['a connection that was closed', smtpError('ECONNECTION', undefined, 'CONN'), 'outage'],
    ['a time-out', smtpError('ETIMEDOUT', undefined, 'CONN'), 'outage'],
    ['a host without an address', smtpError('EDNS', undefined, 'CONN'), 'outage'],
    ['a certificate that is not trusted', smtpError('ETLS', undefined, 'CONN'), 'outage'],
    ['a server that closes the channel (421)', smtpError('EENVELOPE', 421, 'RCPT TO'), 'outage'],
    ['a server that closes the channel within the message (421)', smtpError('EMESSAGE', 421, 'DATA'), 'outage'],
    ['a server that does not accept our password (535)', smtpError('EAUTH', 535, 'AUTH PLAIN'), 'outage'],
    ['a server that cannot check our password now (454)', smtpError('EAUTH', 454, 'AUTH PLAIN'), 'outage'],
    ['a password that is missing', smtpError('EAUTH', undefined, 'API'), 'outage'],
    ['a method of signing in that is unknown', smtpError('ENOAUTH', undefined, 'API'), 'outage'],
    // what a server says before it hears of a message says nothing about that message
    ['a server that greets with a no (554)', smtpError('EPROTOCOL', 554, 'CONN'), 'outage'],
    ['a server that does not take our name (550)', smtpError('EPROTOCOL', 550, 'HELO'), 'outage'],
    ['a server without the STARTTLS we insist on (502)', smtpError('ETLS', 502, 'STARTTLS'), 'outage'],
    ['a server whose STARTTLS fails for now (454)', smtpError('ETLS', 454, 'STARTTLS'), 'outage'],
    ['a server that ends the connection when it hears our name (502)', smtpError('ECONNECTION', 502, 'EHLO'), 'outage'],
    ['a server that says no while it hangs up (554)', smtpError('ECONNECTION', 554, 'CONN'), 'outage'],
    // all mail has the same sender
    ['a server that does not take our sender (550)', smtpError('EENVELOPE', 550, 'MAIL FROM'), 'outage'],
    [
      'a server that answers a message with what is no answer',
      smtpError('EMESSAGE', undefined, 'DATA', 'well'),
      'outage',
    ],
    ['a server without room for now (452)', smtpError('EENVELOPE', 452, 'MAIL FROM'), 'outage'],
    ['a server that wants a password first (530)', smtpError('EENVELOPE', 530, 'MAIL FROM'), 'outage'],
    ['a server that wants encryption first (538)', smtpError('EENVELOPE', 538, 'MAIL FROM'), 'outage'],
  ])('sorts %s', (_, error, kind) => {
    expect(classify(error)).toBe(kind);
  });

  it.each([[undefined], [null], ['550'], [550], [{}], [new Error('550 no such user')]])(
    'gives no message up for %p, which no server said',
    (thrown) => {
      expect(classify(thrown)).not.toBe('refused');
    },
  );

  it('does not take a text for a reply code', () => {
    expect(classify({ code: 'ESOCKET', responseCode: '550' })).toBe('outage');
  });
});

describe('failureOf', () => {
  it('keeps no more than a thousand characters of what a server said', () => {
    expect(failureOf(new Error('x'.repeat(5000))).words).toHaveLength(1000);
  });
});

describe('the words of a failure', () => {
  it('hold nothing that PostgreSQL does not take', () => {
    expect(failureOf(new Error('550 no\u0000such\r\nuser\u0007!')).words).toBe('550 no such user !');
  });
});

describe('isAboutRecipient', () => {
  const refused = (responseCode: number, response: string, command = 'RCPT TO'): Error =>
    Object.assign(new Error('x'), { code: 'EENVELOPE', responseCode, response, command });

  it.each<[string, Error, boolean]>([
    ['an unknown mailbox', refused(550, '550 5.1.1 no such user'), true],
    ['an unknown mailbox, in several lines', refused(550, '550-5.1.1 no such user\n550 5.1.1 look elsewhere'), true],
    ['an unknown mailbox without an enhanced code', refused(550, '550 no such user here'), true],
    ['a domain that takes no mail', refused(556, '556 5.1.10 null MX'), true],
    ['a mailbox that moved', refused(551, '551 5.1.6 moved'), true],
    ['a name that is not allowed', refused(553, '553 mailbox name not allowed'), true],
    ['a mailbox that is switched off', refused(550, '550 5.2.1 disabled'), true],
    ['a mailbox that is full', refused(552, '552 5.2.2 over quota'), false],
    ['a mailbox that is full, as 550', refused(550, '550 5.2.2 over quota'), false],
    ['a policy', refused(550, '550 5.7.1 you are listed'), false],
    ['a sender that is not believed', refused(550, '550 5.1.8 bad sender domain'), false],
    ['a sender that is rejected', refused(550, '550 5.1.0 Sender rejected'), false],
    ['a sender that cannot be verified', refused(550, '550 Sender verify failed'), false],
    ['a refusal without a reason', refused(550, '550 Administrative prohibition'), false],
    ['a door that is closed', refused(550, '550 Access denied'), false],
    ['a check that failed', refused(550, '550 SPF check failed for user'), false],
    ['a name that we gave', refused(550, '550 Invalid HELO name'), false],
    ['nothing in particular', refused(550, '550 no'), false],
    ['an address without a route', refused(550, '550 Unrouteable address'), true],
    ['an unknown user', refused(550, '550 Unknown user'), true],
    ['a syntax error of the sender', refused(550, '550 5.1.7 bad sender address'), false],
    ['a relay that is not ours, without an enhanced code', refused(550, '550 relay not permitted'), false],
    ['a missing sign-in, without an enhanced code', refused(550, '550 authentication required'), false],
    ['a failed transaction', refused(554, '554 transaction failed'), false],
    ['the sender', refused(550, '550 5.1.1 no such user', 'MAIL FROM'), false],
    ['the content', refused(550, '550 5.1.1 no such user', 'DATA'), false],
    ['a refusal for now', refused(450, '450 5.1.1 later'), false],
    ['no answer at all', new Error('cut off'), false],
  ])('of %s', (_, error, expected) => {
    expect(isAboutRecipient(error)).toBe(expected);
  });

  it.each([[undefined], [null], ['550 5.1.1'], [{}]])('is false for %p', (thrown) => {
    expect(isAboutRecipient(thrown)).toBe(false);
  });
});
