/** @file The life of a run's process: queue, prepare, train, end; and what clients and signals ask of it meanwhile. */
import type { RunEvent } from '../protocol/run/events.ts';
import { isAtRung } from '../protocol/run/rung.ts';
import type { LivePhase, LiveState, WhenAlone } from '../protocol/wire/sidecar.ts';
import { ExitCode, UserError, inOneLine } from '../protocol/userError.ts';
import type { EventLog } from '../runs/log/eventLog.ts';
import { lockRun, type RunLock } from '../runs/lockRun.ts';
import type { Run } from '../runs/run.ts';
import { HARD_END_MS, TrainingControl } from '../training/control.ts';
import { endOf, failure, recordEnd, type TrainingEnd } from '../training/ending.ts';
import type { TrainingObserver } from '../training/trainInFolder.ts';
import { EventFeed } from './eventFeed.ts';
import { explainTrainer } from './explainTrainer.ts';
import { advance, noProgress } from './liveProgress.ts';
import { log, logEvent } from './log.ts';
import { SidecarServer } from './server.ts';
import type { Ticket } from './ticket.ts';

const exitCodes = { finished: ExitCode.done, failed: ExitCode.failed, stopped: ExitCode.stopped } as const;

export class Sidecar {
  readonly #run: Run;
  readonly #ticket: Ticket;
  readonly #server: SidecarServer;
  readonly #feed: EventFeed;
  readonly #stop = new AbortController();
  readonly #control = new TrainingControl(() => this.#server.stateChanged());
  readonly #observer: TrainingObserver;
  #lock: RunLock | undefined;
  #eventLog: EventLog | undefined;
  #phase: 'queued' | 'preparing' | 'training' | 'ended' = 'queued';
  #progress = noProgress;
  #runsAhead: number | undefined;
  #pauseAt = Infinity;
  #decoded: LiveState['decoded'];
  #lastCheckpoint: string | undefined;
  /** How the run ended, once that is recorded: nothing else is recorded after it. */
  #end: TrainingEnd | undefined;
  /** A step is not waited for any more; what comes of it is ignored. */
  #abandoned = false;
  #finished: Promise<number> | undefined;

  constructor(run: Run, ticket: Ticket) {
    this.#run = run;
    this.#ticket = ticket;
    this.#feed = new EventFeed(run);
    this.#server = new SidecarServer({
      run: run.id,
      state: () => this.#state(),
      alone: (action) => this.#alone(action),
      log,
      handlers: {
        state: () => this.#state(),
        subscribe: ({ offset, cuts, stream }, client) => client.subscribe(this.#feed.read(offset, cuts), stream),
        unsubscribe: ({ stream }, client) => client.unsubscribe(stream),
        pause: () => this.#whileTraining('Pause it when it does, or stop it.', () => this.#control.pause()),
        continue: () => this.#control.continue(),
        stop: ({ when }, client) => this.#stopFor(client.name, when),
        observe: () => this.#whileTraining('Observe it when it does.', () => this.#control.observe()),
        checkpoint: () => this.#whileTraining('Save a checkpoint when it does.', () => this.#control.checkpoint()),
        change: ({ values }) =>
          this.#whileTraining('Change its settings when it does, or stop it and run the file.', async () => ({
            step: await this.#control.change(values),
          })),
      },
    });
    this.#observer = {
      signal: this.#stop.signal,
      control: this.#control,
      onLog: (eventLog) => {
        this.#eventLog = eventLog;
        this.#feed.follow(eventLog);
      },
      onEvent: (event) => {
        if (this.#abandoned) return;
        this.#onEvent(event);
        logEvent(event);
      },
      onNotice: log,
      onDecoded: (decoded) => {
        this.#decoded = decoded;
        this.#server.progressed();
      },
    };
  }

  /**
   * Trains the run to its end.
   * @param options.pauseAt step at whose evaluation, or the first one after it, the run stops with a checkpoint
   * @returns the exit code
   * @throws UserError when another process has the run
   */
  async train({
    resume,
    parallel,
    pauseAt = Infinity,
  }: {
    resume: boolean;
    parallel: number;
    pauseAt?: number;
  }): Promise<number> {
    this.#pauseAt = pauseAt;
    const { endpoint } = this.#ticket;
    await this.#server.listen(endpoint);
    this.#ticket.keep(() => void this.#server.listenAgain(endpoint));
    this.#lock = await lockRun(this.#run, { state: 'queued' });
    return this.#finish(await this.#work(resume, parallel));
  }

  /** After the current step, with a checkpoint; the second time, at once. */
  async interrupt(): Promise<number | undefined> {
    const again = this.#stop.signal.aborted;
    this.#stopFor('A signal', again ? 'now' : 'after-step');
    return again ? this.#finished : undefined;
  }

  /**
   * Lets the run fail, for what a user's module threw where nobody waits for it.
   * @returns the exit code, when the run has not come to an end by itself
   */
  async fail(error: Error): Promise<number> {
    this.#control.fail(error);
    await new Promise((resolve) => setTimeout(resolve, HARD_END_MS));
    return this.#abandon(failure(error, this.#progress.step, this.#run));
  }

  async #work(resume: boolean, parallel: number): Promise<TrainingEnd> {
    const { signal } = this.#stop;
    try {
      await this.#ticket.turn(parallel, (runsAhead) => this.#wait(runsAhead), signal);
      await this.#run.update({ state: 'running' });
      this.#enter('preparing');
      const { trainRun } = await import('../training/index.ts').catch((error: unknown) => {
        throw explainTrainer(error);
      });
      return await trainRun({ run: this.#run, resume, ...this.#observer });
    } catch (error) {
      const end = signal.aborted ? ({ type: 'stopped', step: 0 } as const) : failure(error, 0, this.#run);
      return recordEnd(this.#run, end, this.#observer);
    }
  }

  /** A run that waits for its turn would answer too late for whoever asks. */
  async #whileTraining<T>(remedy: string, work: () => Promise<T>): Promise<T> {
    if (this.#phase !== 'training') throw new UserError(`The run does not train yet. ${remedy}`);
    return work();
  }

  /** Ends without waiting for the step. */
  async #abandon(end: Parameters<typeof recordEnd>[1]): Promise<number> {
    if (this.#end) return this.#finish(this.#end);
    this.#abandoned = true;
    try {
      this.#eventLog?.close(); // From here on, the step that goes on cannot record anything.
    } catch {
      // Recording the end meets the same, and tells it.
    }
    const { onLog } = this.#observer;
    return this.#finish(await recordEnd(this.#run, end, { onLog, onEvent: (event) => this.#onEvent(event) }));
  }

  /** Once; whoever comes second gets the same exit code. */
  #finish(end: TrainingEnd): Promise<number> {
    return (this.#finished ??= this.#leave(end));
  }

  async #leave(end: TrainingEnd): Promise<number> {
    this.#control.end();
    // Before clients hear of the end: run.json has the result when they look.
    await this.#lock?.release(end).catch((error: unknown) => log(String(error)));
    if (end.failure) log(`The run has failed: ${inOneLine(end.failure)}`);
    else log(`The run is ${end.state}.`);
    this.#phase = 'ended';
    await this.#server.end();
    return exitCodes[end.state];
  }

  #onEvent(event: RunEvent): void {
    this.#end = endOf(event);
    this.#feed.add(event);
    this.#progress = advance(this.#progress, event);
    if (event.type === 'checkpoint') this.#lastCheckpoint = event.path;
    if (event.type === 'started') this.#enter('training');
    if (isAtRung(event, this.#pauseAt)) this.#stopFor('The sweep', 'after-step');
    this.#server.eventAdded();
  }

  #wait(runsAhead: number): void {
    if (this.#runsAhead === runsAhead) return;
    this.#runsAhead = runsAhead;
    this.#server.stateChanged();
  }

  #enter(phase: 'preparing' | 'training'): void {
    this.#phase = phase;
    this.#runsAhead = undefined;
    this.#server.stateChanged();
  }

  #state(): LiveState {
    const runsAhead = this.#phase === 'queued' ? this.#runsAhead : undefined;
    const decoded = this.#phase === 'preparing' ? this.#decoded : undefined;
    return {
      phase: this.#livePhase(),
      ...this.#progress,
      ...(runsAhead !== undefined && { runsAhead }),
      ...(decoded && { decoded }),
    };
  }

  #livePhase(): LivePhase {
    if (this.#phase === 'ended') return 'ended';
    if (this.#stop.signal.aborted) return 'stopping';
    return this.#control.paused ? 'paused' : this.#phase;
  }

  #alone(action: WhenAlone): void {
    log(`No client is left: ${action}.`);
    if (action === 'pause') this.#control.pause().catch(() => undefined);
    if (action === 'stop') this.#stopFor('The setting for a run without a window', 'after-step');
  }

  /** Stops a run; at once in any case where no step is under way. */
  #stopFor(who: string, when: 'after-step' | 'now'): void {
    log(`${who} asks to stop ${when === 'now' ? 'now' : 'after the step'}.`);
    this.#stop.abort();
    this.#server.stateChanged();
    if (when !== 'now' || this.#phase !== 'training') return;
    const stopped = { type: 'stopped', step: this.#progress.step, checkpoint: this.#lastCheckpoint } as const;
    void this.#abandon(stopped).then((code) => process.exit(code));
  }
}
