import { type DynamicModule, Global, Module } from '@nestjs/common';
import { CONFIG, type Config } from './config.js';

/**
 * Settings. Owns the catalogue of settings and the one typed object made from it; promises that it was checked as a
 * whole before anything started. Nothing else reads the environment.
 */
@Global()
@Module({})
export class ConfigModule {
  static with(config: Config): DynamicModule {
    return { module: ConfigModule, providers: [{ provide: CONFIG, useValue: config }], exports: [CONFIG] };
  }
}
