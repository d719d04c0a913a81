/** @file The page "What holds": each claim of the papers in a row, with what was measured, by which study, and the verdict. */
import { claims, type Claim } from './claims.ts';
import { markdownTable } from './markdownTable.ts';
import type { Outcomes } from './outcomes.ts';
import { rules, type Verdict } from './verdict.ts';

/** The page as Markdown. */
export function whatHolds(outcomes: Outcomes): string {
  const counts = (['seen', 'not seen', 'not tested'] as const).map(
    (verdict) => `${count(verdict, outcomes)} ${verdict}`,
  );
  return [
    '# What holds',
    '',
    'The claims of the three papers that DeepTwist for VS Code is made of, in their order, and what came of them here. Written by `npm run bench -- reproduce`',
    'from [runs.jsonl](runs.jsonl); each row names the page that has the settings, the intervals and the commands.',
    '',
    `${counts.join(', ')}.`,
    '',
    ...rules.map((rule) => `- ${rule}`),
    '',
    ...papers.flatMap(({ title, key }) => [
      `## ${title}`,
      '',
      ...claimTable(
        claims.filter(({ paper }) => paper === key),
        outcomes,
        { links: true },
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

function count(verdict: Verdict, outcomes: Outcomes): number {
  return claims.filter(({ test }) => test(outcomes).verdict === verdict).length;
}

/** @param links true where the page of a claim's study is another one */
export function claimTable(
  list: readonly Claim[],
  outcomes: Outcomes,
  { links }: { readonly links: boolean },
): string[] {
  return markdownTable(
    ['claim', 'where', 'published', 'here', 'verdict', ...(links ? ['by'] : [])],
    list.map((claim) => {
      const { text, where, published = '', test } = claim;
      const { value, verdict } = test(outcomes);
      return [text, where, published, value, `**${verdict}**`, ...(links ? [linkOf(claim)] : [])];
    }),
  );
}

function linkOf({ study, elsewhere }: Claim): string {
  if (study !== undefined) return `[${study}](${study}.md)`;
  return elsewhere ? `[\`${elsewhere.command}\`](${elsewhere.page})` : '';
}
