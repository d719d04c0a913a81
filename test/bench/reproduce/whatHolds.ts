/** @file The page "What holds": each claim of the papers in a row, with what was measured, by which study, and the verdict. */
import { claims, type Claim } from './claims.ts';
import { markdownTable } from './markdownTable.ts';
import type { Outcomes } from './outcomes.ts';
import { rules, type Finding } from './verdict.ts';

/** What is written before a finding that is of the smaller scale. */
const AT_A_FIFTH = 'at a fifth of the size';

/** The page as Markdown. */
export function whatHolds(outcomes: Outcomes): string {
  const shown = claims.map((claim) => findingsOf(claim, outcomes));
  const counts = countsOf(shown.map(({ full }) => full));
  const atAFifth = countsOf(shown.flatMap(({ fifth }) => fifth ?? []));
  return [
    '# What holds',
    '',
    'The claims of the three papers that DeepTwist for VS Code is made of, in their order, and what came of them here. Written by `npm run bench -- reproduce`',
    'from [runs.jsonl](runs.jsonl); each row names the page that has the settings, the intervals and the commands.',
    '',
    `${counts}.${atAFifth === '' ? '' : ` Among those that were not tested, ${AT_A_FIFTH} (a smaller model on a part of the corpus): ${atAFifth}.`}`,
    '',
    ...rules.map((rule) => `- ${rule}`),
    '',
    ...papers.flatMap(({ title, key }) => [
      `## ${title}`,
      '',
      ...claimTable(
        claims.filter(({ paper }) => paper === key),
        outcomes,
      ),
      '',
    ]),
  ].join('\n');
}

const papers = [
  {
    key: 'deeptwist',
    title: 'DeepTwist: Learning Model Compression via Occasional Weight Distortion (Lee et al. 2018)',
  },
  { key: 'compression-aware', title: 'Compression-aware Training of Deep Networks (Alvarez & Salzmann 2017)' },
  { key: 'distillation', title: 'Model compression via distillation and quantization (Polino et al. 2018)' },
] as const;

function countsOf(findings: readonly Finding[]): string {
  const count = (verdict: Finding['verdict']) => findings.filter((finding) => finding.verdict === verdict).length;
  return (['seen', 'not seen', 'not tested'] as const)
    .filter((verdict) => count(verdict) > 0)
    .map((verdict) => `${count(verdict)} ${verdict}`)
    .join(', ');
}

/** @returns `fifth`: what was found at the smaller scale, where that at the full one is not known yet */
function findingsOf({ test, fifth }: Claim, outcomes: Outcomes): { readonly full: Finding; readonly fifth?: Finding } {
  const full = test(outcomes);
  const smaller = full.verdict === 'not tested' ? fifth?.test(outcomes) : undefined;
  return { full, ...(smaller && smaller.verdict !== 'not tested' && { fifth: smaller }) };
}

/** The claims with their verdicts and the pages of their studies. */
function claimTable(list: readonly Claim[], outcomes: Outcomes): string[] {
  return markdownTable(
    ['claim', 'where', 'published', 'here', 'verdict', 'by'],
    list.map((claim) => {
      const { text, where, published = '' } = claim;
      const { full, fifth } = findingsOf(claim, outcomes);
      const here = fifth ? `${AT_A_FIFTH}: ${fifth.value}` : full.value;
      const verdict = fifth ? `**${full.verdict}**; ${AT_A_FIFTH} **${fifth.verdict}**` : `**${full.verdict}**`;
      return [text, where, published, here, verdict, fifth ? pageLink(claim.fifth!.study) : linkOf(claim)];
    }),
  );
}

/** The claims that the page of a study has the runs of, with what came of them. */
export function claimsOfStudy(name: string, outcomes: Outcomes): string[] {
  const rows = claims.flatMap(({ text, where, published = '', study, test, fifth }) => {
    const own = study === name ? test : fifth?.study === name ? fifth.test : undefined;
    if (!own) return [];
    const { value, verdict } = own(outcomes);
    return [[text, where, published, value, `**${verdict}**`]];
  });
  return rows.length > 0 ? markdownTable(['claim', 'where', 'published', 'here', 'verdict'], rows) : [];
}

function linkOf({ study, elsewhere }: Claim): string {
  if (study !== undefined) return pageLink(study);
  return elsewhere ? `[\`${elsewhere.command}\`](${elsewhere.page})` : '';
}

const pageLink = (study: string) => `[${study}](${study}.md)`;
