import { Injectable } from '@nestjs/common';

/** Whether the process still wants work. Before it does, the application is not there to ask: see app.adapter. */
@Injectable()
export class Lifecycle {
  private stopping = false;

  get isStopping(): boolean {
    return this.stopping;
  }

  /** From now on readiness is denied, while requests are still answered. There is no way back. */
  beginToStop(): void {
    this.stopping = true;
  }
}
