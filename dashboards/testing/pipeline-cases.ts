import type { AlertCase } from './alert-cases.ts';
import { ageing, blip, counter, counterOfFew, gauge, missing } from './series.ts';

const finding = (kind: string) => `trueup_watch_open_findings{kind="${kind}"}`;
const lag = (partition: string) => `trueup_watch_lag_records{partition="${partition}"}`;
const never = [] as const;

export const PIPELINE_CASES: readonly AlertCase[] = [
  {
    about: 'ConsumptionStopped/page',
    title: 'the log grows and nothing of it is stored',
    changes: { trueup_watch_stored_records: counter(1_000, 0), [lag('1')]: counter(0, 1_000) },
    lasts: '9m',
    quietUntil: '5m',
    fires: ['ConsumptionStopped{severity="page"}'],
  },
  {
    about: 'ConsumptionStopped/page',
    title: 'nobody sends anything at night',
    changes: { trueup_watch_stored_records: counter(1_000, 0) },
    lasts: '30m',
    fires: never,
  },
  {
    about: 'ConsumptionStopped/page',
    title: 'a backlog that is worked off',
    changes: { [lag('0')]: gauge(0, 5_000_000) },
    lasts: '30m',
    fires: never,
  },
  {
    about: 'RollupStalled/page',
    title: 'the oldest stored block grows older and older',
    changes: { trueup_watch_pending_oldest_seconds: ageing() },
    lasts: '9m',
    quietUntil: '6m',
    fires: ['RollupStalled{severity="page"}'],
  },
  {
    about: 'RollupStalled/page',
    title: 'a pass over a large backlog takes four minutes',
    changes: { trueup_watch_pending_oldest_seconds: gauge(1, 240) },
    lasts: '20m',
    fires: never,
  },
  {
    about: 'IntegrityFindingOpen/page',
    title: 'a part of a table is lost',
    changes: { [finding('PART_LOST')]: gauge(0, 1) },
    lasts: '6m',
    quietUntil: '4m',
    fires: ['IntegrityFindingOpen{kind="PART_LOST",severity="page"}'],
  },
  {
    about: 'IntegrityFindingOpen/page',
    title: 'a finding that the next look settles',
    changes: { [finding('TRUTH_ALTERED')]: blip(0, { value: 1, lasts: '3m' }) },
    lasts: '10m',
    fires: never,
  },
  {
    about: 'IntegrityFindingOpen/ticket',
    title: 'a source used an id twice',
    changes: { [finding('CONFLICTING_COPIES')]: gauge(0, 3) },
    lasts: '16m',
    fires: ['IntegrityFindingOpen{kind="CONFLICTING_COPIES",severity="ticket"}'],
  },
  {
    about: 'IntegrityFindingOpen/ticket',
    title: 'findings can not be read, so that none is known',
    changes: { [finding('CONFLICTING_COPIES')]: missing() },
    lasts: '16m',
    fires: never,
  },
  {
    about: 'SourceShortOrSilent/ticket',
    title: 'a source is silent',
    changes: { [finding('SOURCE_SILENT')]: gauge(0, 1) },
    lasts: '31m',
    quietUntil: '29m',
    fires: ['SourceShortOrSilent{kind="SOURCE_SILENT",severity="ticket"}'],
  },
  {
    about: 'SourceShortOrSilent/ticket',
    title: 'a manifest comes twenty minutes late',
    changes: { [finding('MANIFEST_MISSING')]: blip(0, { value: 2, lasts: '20m' }) },
    lasts: '1h',
    fires: never,
  },
  {
    about: 'RejectsSurge/ticket',
    title: 'a release of a source breaks a twentieth of its events',
    changes: { 'trueup_ingest_records_total{outcome="rejected"}': counter(0, 50) },
    lasts: '17m',
    quietUntil: '10m',
    fires: ['RejectsSurge{severity="ticket"}'],
  },
  {
    about: 'RejectsSurge/ticket',
    title: 'one event of a hundred can not be counted, as ever',
    changes: { 'trueup_ingest_records_total{outcome="rejected"}': counter(10) },
    lasts: '30m',
    fires: never,
  },
  {
    about: 'RejectsSurge/ticket',
    title: 'ten events at night, and half of them are bad',
    changes: {
      'trueup_ingest_records_total{outcome="accepted"}': gauge(100),
      'trueup_ingest_records_total{outcome="rejected"}': counterOfFew(10),
    },
    lasts: '30m',
    fires: never,
  },
];
