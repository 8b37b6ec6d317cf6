import { optional, setting } from './setting.js';
import { flag, list, origin, proxy, secretText, text, webAddress, whole } from './setting-readers.js';

/** The settings of the groups HTTP and Metrics. */
export const HTTP_SETTINGS = {
  HOST: setting('HTTP', text, '0.0.0.0', 'address to listen on'),
  PORT: setting('HTTP', whole(0, 65535), '8000', 'port to listen on; 0 takes a free one'),
  PUBLIC_URL: optional(
    'HTTP',
    webAddress,
    'address under which clients reach this server; http://localhost:PORT when unset',
  ),
  CORS_ORIGINS: optional(
    'HTTP',
    list(origin),
    'exact origins, comma separated, whose pages may call the API; http://localhost:3000 in development, none in production',
  ),
  TRUST_PROXY: setting(
    'HTTP',
    list(proxy),
    '',
    'proxies whose X-Forwarded-For is believed: addresses, CIDR ranges, loopback, linklocal, uniquelocal; nobody when unset',
  ),
  DOCS_ENABLED: optional('HTTP', flag, 'serves /docs, /redoc and /openapi.json; on in development, off in production'),
  MAX_JSON_SIZE: setting('HTTP', whole(1024, 10_485_760), '102400', 'largest JSON or form body in bytes'),
  MAX_JSON_DEPTH: setting('HTTP', whole(1, 100), '10', 'deepest nesting of a JSON body'),
  MAX_ARRAY_LENGTH: setting('HTTP', whole(1, 100_000), '1000', 'longest array in a JSON body'),
  DRAIN_SECONDS: setting(
    'HTTP',
    whole(0, 300),
    '0',
    'seconds for which a process that was told to stop goes on taking requests while /health/ready answers 503, so that balancers turn elsewhere first',
  ),
  MIN_BODY_PROGRESS: setting(
    'HTTP',
    whole(1, 65_536),
    '500',
    'bytes of a request that must arrive within any five seconds; a slower sender is answered with 408',
  ),
  KEEP_ALIVE_SECONDS: setting(
    'HTTP',
    whole(1, 3600),
    '65',
    'seconds that a connection may wait for its next request; more than the load balancer in front keeps its own (most: 60), or it now and then answers 502',
  ),

  METRICS_PORT: optional(
    'Metrics',
    whole(0, 65535),
    'port of its own for Prometheus (GET /metrics), and those after it for the further processes of WEB_CONCURRENCY; 0 takes a free one; no such port when unset',
  ),
  METRICS_HOST: setting(
    'Metrics',
    text,
    '127.0.0.1',
    'address that METRICS_PORT listens on; any other than this machine’s own needs METRICS_TOKEN',
  ),
  METRICS_TOKEN: optional(
    'Metrics',
    secretText,
    'bearer token that Prometheus must bring, 32 bytes or more; without METRICS_PORT metrics are then at /metrics of PORT; with neither there are none',
  ),
};
