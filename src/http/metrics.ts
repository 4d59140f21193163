/** Prometheus figures: what the events tell, and gauges that others are asked for at each scrape. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { CallEvent } from '../core/call-event';
import type { EventFeed } from './ports';

const durationBuckets = [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600];
const gapBuckets = [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.2, 1.4, 1.7, 2, 3, 4, 6];

export class Metrics {
  private readonly registry = new Registry();
  private readonly started: Counter<'direction' | 'transport'>;
  private readonly ended: Counter<'cause'>;
  private readonly duration: Histogram;
  private readonly gap: Histogram;
  private readonly interruptions: Counter;
  private readonly errors: Counter<'code'>;
  private readonly outside = new Map<string, Gauge>();
  private readonly unsubscribe: () => void;

  constructor(
    feed: EventFeed,
    private readonly gauges: () => Readonly<Record<string, number>>,
  ) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.started = new Counter({
      name: 'trunkline_calls_started_total',
      help: 'Calls that began.',
      labelNames: ['direction', 'transport'],
      registers,
    });
    this.ended = new Counter({
      name: 'trunkline_calls_ended_total',
      help: 'Calls that ended, by cause.',
      labelNames: ['cause'],
      registers,
    });
    this.duration = new Histogram({
      name: 'trunkline_call_duration_seconds',
      help: 'From the answer to the end.',
      buckets: durationBuckets,
      registers,
    });
    this.gap = new Histogram({
      name: 'trunkline_turn_gap_seconds',
      help: "Silence between the caller's last word and the agent's first.",
      buckets: gapBuckets,
      registers,
    });
    this.interruptions = new Counter({
      name: 'trunkline_turns_interrupted_total',
      help: 'Answers that the caller cut short.',
      registers,
    });
    this.errors = new Counter({
      name: 'trunkline_call_errors_total',
      help: 'Errors during calls, by code.',
      labelNames: ['code'],
      registers,
    });
    this.unsubscribe = feed.subscribe((event) => this.count(event));
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  async text(): Promise<string> {
    for (const [name, value] of Object.entries(this.gauges())) this.gauge(name).set(value);
    return this.registry.metrics();
  }

  close(): void {
    this.unsubscribe();
    this.registry.clear();
  }

  private gauge(name: string): Gauge {
    let gauge = this.outside.get(name);
    if (gauge === undefined) {
      gauge = new Gauge({
        name,
        help: name.replace(/^trunkline_/, '').replaceAll('_', ' '),
        registers: [this.registry],
      });
      this.outside.set(name, gauge);
    }
    return gauge;
  }

  private count(event: CallEvent): void {
    switch (event.type) {
      case 'call.started':
        this.started.inc({ direction: event.data.direction, transport: event.data.transport });
        return;
      case 'call.ended':
        this.ended.inc({ cause: event.data.cause });
        this.duration.observe(event.data.durationMs / 1000);
        return;
      case 'turn.agent':
        if (event.data.gapMs !== undefined) this.gap.observe(event.data.gapMs / 1000);
        return;
      case 'turn.interrupted':
        this.interruptions.inc();
        return;
      case 'error':
        this.errors.inc({ code: event.data.code });
        return;
      case 'call.ringing':
      case 'call.answered':
      case 'turn.user':
      case 'ask.answered':
      case 'tool.called':
      case 'dtmf.received':
      case 'agent.handover':
      case 'transfer.started':
      case 'transfer.completed':
      case 'transfer.failed':
      case 'queue.joined':
      case 'queue.left':
      case 'hold.started':
      case 'hold.ended':
      case 'amd.result':
      case 'voicemail.left':
      case 'voicemail.received':
      case 'recording.ready':
      case 'call.erased':
        return;
      default:
        event satisfies never;
    }
  }
}
