import { RequestMethod, VERSION_NEUTRAL } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA, VERSION_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner, ModulesContainer } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { type Access, ACCESS } from '../../src/auth/auth.decorators.js';

/** A route of the application, as its controller declares it. */
export interface Route {
  /** `POST /api/v1/leads` */
  readonly name: string;
  readonly method: string;
  /** With `:name` for a parameter, as Express writes it. */
  readonly path: string;
  readonly access: Access | undefined;
  readonly handler: object;
}

type Prototype = Readonly<Record<string, object>>;
type ControllerClass = abstract new (...args: never) => object;

/** Every route of every controller in the application. */
export function routesOf(app: NestExpressApplication): Route[] {
  const controllers = new DiscoveryService(app.get(ModulesContainer)).getControllers();
  return controllers.flatMap(({ metatype }) => routesOfController(metatype as ControllerClass));
}

export function routesOfController(controller: ControllerClass): Route[] {
  const prototype = controller.prototype as Prototype;
  return new MetadataScanner()
    .getAllMethodNames(prototype)
    .map((name) => prototype[name]!)
    .filter((handler) => Reflect.hasMetadata(METHOD_METADATA, handler))
    .map((handler) => {
      const method = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
      const path = `/${[
        versionOf(controller),
        Reflect.getMetadata(PATH_METADATA, controller),
        Reflect.getMetadata(PATH_METADATA, handler),
      ]
        .flatMap((part) => String(part).split('/'))
        .filter((part) => part !== '')
        .join('/')}`;
      const access = Reflect.getMetadata(ACCESS, handler) as Access | undefined;
      return { name: `${method} ${path}`, method, path, access, handler };
    });
}

function versionOf(controller: object): string {
  const version = Reflect.getMetadata(VERSION_METADATA, controller) as unknown;
  return version === VERSION_NEUTRAL ? '' : `api/v${String(version)}`;
}

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Readonly<Record<string, boolean>> };
}

/** What the HTTP server answers at all, controllers or not: `GET /docs`. */
export function servedRoutesOf(app: NestExpressApplication): string[] {
  const { stack } = (app.getHttpAdapter().getInstance() as unknown as { router: { stack: readonly Layer[] } }).router;
  return stack.flatMap(({ route }) =>
    route === undefined ? [] : Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path}`),
  );
}
