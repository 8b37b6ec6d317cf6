// A real OpenID provider (oidc-provider) as a process of its own, because it is an ES module and Jest runs CommonJS here. Its
// parent says what it needs to know, and which lies it shall tell: it then changes ID tokens on their way out.
import { generateKeyPair, exportJWK, SignJWT, UnsecuredJWT, decodeJwt, importJWK } from 'jose';
import Provider from 'oidc-provider';

const [issuer, redirectUri] = process.argv.slice(2);
if (issuer === undefined || redirectUri === undefined || process.send === undefined) throw new Error('run me by fork');

const makeKey = async () => {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: 'first', alg: 'RS256', use: 'sig' };
};
const [key, foreignKey] = [await makeKey(), await makeKey()];

/** @type {{ accounts: Record<string, Record<string, unknown>>, lie: string | undefined, tokenStatus: number | undefined }} */
const told = { accounts: {}, lie: undefined, tokenStatus: undefined };

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'forecourt',
      client_secret: 'planted-client-secret',
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'client_secret_basic',
    },
  ],
  jwks: { keys: [key] },
  cookies: { keys: ['a key for cookies of the test'] },
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username', 'groups', 'hd'] },
  findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, ...told.accounts[sub] }) }),
  // nobody is asked whether they agree
  async loadExistingGrant(context) {
    const grant = new context.oidc.provider.Grant({
      clientId: context.oidc.client?.clientId,
      accountId: context.oidc.session?.accountId,
    });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
});

/** @type {Record<string, (claims: import('jose').JWTPayload) => Promise<string> | string>} */
const LIES = {
  'another key': (claims) => sign(claims, foreignKey),
  'no signature': (claims) => new UnsecuredJWT(claims).encode(),
  'the client secret as key': (claims) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .sign(new TextEncoder().encode('planted-client-secret')),
  'another nonce': (claims) => sign({ ...claims, nonce: 'of somebody else' }, key),
  'no nonce': ({ nonce, ...claims }) => sign(claims, key),
  'another issuer': (claims) => sign({ ...claims, iss: 'https://evil.test' }, key),
  'another audience': (claims) => sign({ ...claims, aud: 'another-client' }, key),
  'a time long past': (claims) => sign({ ...claims, exp: 1_700_000_000 }, key),
};

/** @param {import('jose').JWTPayload} claims @param {import('jose').JWK} jwk */
async function sign(claims, jwk) {
  return new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'first' }).sign(await importJWK(jwk, 'RS256'));
}

provider.use(async (context, next) => {
  if (context.path === '/token' && told.tokenStatus !== undefined) {
    context.status = told.tokenStatus;
    context.body = 'planted words of the provider';
    return;
  }
  await next();
  const lie = told.lie === undefined ? undefined : LIES[told.lie];
  const body = /** @type {{ id_token?: string } | undefined} */ (context.body);
  if (context.path === '/token' && lie !== undefined && body?.id_token !== undefined)
    context.body = { ...body, id_token: await lie(decodeJwt(body.id_token)) };
});

process.on('message', (message) => {
  Object.assign(told, { lie: undefined, tokenStatus: undefined }, message);
  process.send?.('told');
});
process.on('disconnect', () => process.exit());
provider.listen(Number(new URL(issuer).port), '127.0.0.1', () => process.send?.('listening'));
