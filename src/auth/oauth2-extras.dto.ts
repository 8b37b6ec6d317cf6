import { LineField } from '../common/fields.js';

/** What OAuth2 clients send beside (RFC 6749, 4.3.2 and 6); none of it matters here. */
export class OAuth2Extras {
  @LineField({ min: 0, max: 255, optional: true })
  scope?: string;

  @LineField({ min: 0, max: 255, optional: true })
  client_id?: string;

  @LineField({ min: 0, max: 255, optional: true })
  client_secret?: string;
}
