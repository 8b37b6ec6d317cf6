import { connectionTo } from './mail.transport.js';

const SERVER = { host: 'smtp.test', port: 587, tls: 'auto', username: undefined, password: undefined } as const;

describe('the connection to the mail server', () => {
  it('is given ten seconds to come about, and the whole time for a message', () => {
    const limits = { connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 30_000 };

    expect(connectionTo(SERVER, 30_000)).toMatchObject(limits);
  });

  it('is given no longer to come about than a message has', () => {
    const limits = { connectionTimeout: 3000, greetingTimeout: 3000, socketTimeout: 3000 };

    expect(connectionTo(SERVER, 3000)).toMatchObject(limits);
  });

  it.each([
    ['auto', 587, undefined, 'when offered'],
    ['auto', 587, 'desk', 'or not at all'],
    ['auto', 465, undefined, 'from the first byte'],
    ['starttls', 25, undefined, 'or not at all'],
    ['tls', 2465, undefined, 'from the first byte'],
    ['none', 587, 'desk', 'never'],
  ] as const)('with SMTP_TLS=%s at port %i for the user %s is encrypted %s', (tls, port, username, when) => {
    const { secure, requireTLS, ignoreTLS } = connectionTo({ ...SERVER, tls, port, username }, 1000);

    const found = secure ? 'from the first byte' : ignoreTLS ? 'never' : requireTLS ? 'or not at all' : 'when offered';
    expect(found).toBe(when);
  });
});
