import { ApiProperty } from '@nestjs/swagger';
import { type CheckName, type CheckResult, type HealthStatus, NEEDED, type NeededName } from './health.service.js';

export class LiveResponse {
  @ApiProperty({ example: 'ok' })
  status!: 'ok';
}

export class ReadyResponse extends LiveResponse {
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { database: 'ok', migrations: 'ok', storage: 'ok' },
  })
  checks!: Record<NeededName, CheckResult['state']>;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'number' },
    description: 'How long each of them took to answer, in milliseconds',
    example: { database: 0.6, migrations: 0.9, storage: 1.2 },
  })
  latency_ms!: Record<NeededName, number>;
}

export class HealthResponse {
  @ApiProperty({ enum: ['ok', 'degraded', 'failing', 'stopping'] })
  status!: HealthStatus;

  @ApiProperty({
    type: 'object',
    additionalProperties: {
      type: 'object',
      required: ['state', 'latency_ms', 'needed'],
      properties: {
        state: { type: 'string', enum: ['ok', 'failed'] },
        latency_ms: { type: 'number' },
        needed: { type: 'boolean', description: 'Whether the process is not ready without it' },
      },
    },
    example: {
      database: { state: 'ok', latency_ms: 0.6, needed: true },
      mail: { state: 'failed', latency_ms: 0.8, needed: false },
    },
  })
  checks!: Record<string, { state: CheckResult['state']; latency_ms: number; needed: boolean }>;
}

export function toReadyResponse(checks: Record<NeededName, CheckResult>): ReadyResponse {
  const { database, migrations, storage } = checks;
  return {
    status: 'ok',
    checks: { database: database.state, migrations: migrations.state, storage: storage.state },
    latency_ms: { database: database.latencyMs, migrations: migrations.latencyMs, storage: storage.latencyMs },
  };
}

export function toHealthResponse({
  status,
  checks,
}: {
  readonly status: HealthStatus;
  readonly checks: Record<CheckName, CheckResult>;
}): HealthResponse {
  const needed: readonly string[] = NEEDED;
  return {
    status,
    checks: Object.fromEntries(
      Object.entries(checks).map(([name, { state, latencyMs }]) => [
        name,
        { state, latency_ms: latencyMs, needed: needed.includes(name) },
      ]),
    ),
  };
}
