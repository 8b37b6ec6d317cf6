import type { NestExpressApplication } from '@nestjs/platform-express';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';
import { join } from 'node:path';
import { API_KEY_SCHEME } from './common/api-key-scheme.js';
import type { Config } from './config/config.js';
import { PROJECT_ROOT } from './config/project-root.js';

const DESCRIPTION = `The intake API of a law practice. Prospects submit the public form; attorneys sign in and work the leads.

**Sign in** with the *Authorize* button: user name and password, nothing else. An account with a second factor signs in with
\`POST /auth/login\` and \`POST /auth/login/verify\` below, and pastes the access token under *bearer*.

**Programs** come with an API key, in \`X-API-Key\` or as a bearer token, on routes that say so. It does what it was made for and its
owner may.

**Errors** share one envelope: \`detail\`, \`error_code\`, \`timestamp\`, \`request_id\` and, where fields are at fault,
\`field_errors\`. Invalid fields are 400 on \`POST /leads\` and \`POST /auth/register\`, and 422 everywhere else.

**Deviations from OAuth2 examples elsewhere**: \`expires_in\` is in seconds, as RFC 6749 has it.`;

/** Both viewers bring their own styles; ReDoc searches in a worker that it makes itself. Nothing comes from elsewhere. */
const DOCS_POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'";

export function describeApi(app: NestExpressApplication, config: Config): OpenAPIObject {
  const document = new DocumentBuilder()
    .setTitle('Forecourt')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addServer('/', config.mail.companyName)
    .addTag('Leads', 'Prospects, from the public form to the first contact')
    .addTag('Accounts', 'Signing in, and who may')
    .addTag('Second factors', 'Authenticator apps, passkeys, recovery codes, and the second step of a sign-in')
    .addTag('Users', 'The accounts of the practice, for admins')
    .addTag('Files', 'What is known of stored files')
    .addTag('Privacy', 'What persons may ask of the practice: to see, to take, to be forgotten')
    .addTag('Operation', 'The background work, for admins')
    .addTag('Health', 'For operators and load balancers')
    .addApiKey(
      {
        type: 'apiKey',
        in: 'header',
        name: 'X-API-Key',
        description: 'For programs; or `Authorization: Bearer fck_…`',
      },
      API_KEY_SCHEME,
    )
    .addOAuth2({ type: 'oauth2', flows: { password: { tokenUrl: '/api/v1/auth/login', scopes: {} } } })
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: 'For accounts with a second factor: an access token from `POST /auth/login/verify`',
    })
    .build();
  return SwaggerModule.createDocument(app, document, {
    operationIdFactory: (_controller, method) => method,
  });
}

/** Serves Swagger UI at /docs, ReDoc at /redoc and the document at /openapi.json, all from this machine. */
export function serveDocs(app: NestExpressApplication, config: Config): void {
  app.use(['/docs', '/redoc'], (_request: Request, response: Response, next: NextFunction) => {
    response.setHeader('Content-Security-Policy', DOCS_POLICY);
    next();
  });
  SwaggerModule.setup('docs', app, describeApi(app, config), {
    jsonDocumentUrl: 'openapi.json',
    customSiteTitle: 'Forecourt API',
    raw: ['json'],
    swaggerOptions: { persistAuthorization: false, displayRequestDuration: true, validatorUrl: null },
  });
  const server = app.getHttpAdapter().getInstance();
  server.get('/redoc', (_request, response) => {
    response.type('html').send(REDOC_PAGE);
  });
  server.get('/redoc/redoc.standalone.js', (_request, response) => {
    response.sendFile(join(PROJECT_ROOT, 'dist', 'assets', 'redoc.standalone.js'), {
      headers: { 'Cache-Control': 'public, max-age=3600' },
    });
  });
}

const REDOC_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Forecourt API</title>
<link rel="icon" href="data:,">
<style>body { margin: 0; }</style>
</head>
<body>
<redoc spec-url="/openapi.json"></redoc>
<script src="/redoc/redoc.standalone.js"></script>
</body>
</html>
`;
