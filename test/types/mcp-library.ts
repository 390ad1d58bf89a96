/** The types of resources, templates and prompts: what must compile, and what must not. */

import {
  elicit,
  listRoots,
  prompt,
  resource,
  resourceTemplate,
  sample,
  text,
  tool,
  userMessage,
} from '../../mcp/index.ts';

resource({}, (uri) => uri.toUpperCase());
resource({}, () => new Uint8Array());
// @ts-expect-error a number is no contents
resource({}, () => 5);
// @ts-expect-error there is no such member
resource({ nmae: 'x' }, () => '');

resourceTemplate('a://{id}/{+path}{?page,size}', { complete: { id: () => ['1'] } }, ({ id, path, page }) => {
  const both: string = id + path;
  // @ts-expect-error a variable of a query may be absent
  const sure: string = page;
  return both + sure;
});
// @ts-expect-error there is no such variable
resourceTemplate('a://{id}', {}, ({ di }) => di);
// @ts-expect-error there is no such variable to complete
resourceTemplate('a://{id}', { complete: { di: () => [] } }, ({ id }) => id);

prompt({ description: 'd', arguments: { a: { required: true }, b: { complete: (value) => [value] } } }, ({ a, b }) => {
  const sure: string = a;
  // @ts-expect-error what is not required may be absent
  const unsure: string = b;
  return [userMessage(sure + unsure)];
});
// @ts-expect-error there is no such argument
prompt({ description: 'd', arguments: { a: {} } }, ({ c }) => [userMessage(c)]);
// @ts-expect-error a text is no array of messages
prompt({ description: 'd' }, () => 'text');

tool({ description: 'd', input: { type: 'object' } }, async (_args, ctx) => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'number' }, o: { type: 'string' } },
    required: ['n'],
  } as const;
  const { form, folders, said } = await ctx.input({
    form: elicit({ message: 'm', schema }),
    folders: listRoots(),
    said: sample({ messages: [{ role: 'user', content: { type: 'text', text: 't' } }], maxTokens: 1 }),
  });
  // @ts-expect-error who has declined has filled in nothing
  const early: number = form.content.n;
  if (form.action !== 'accept') return text(said.model);
  const sure: number = form.content.n;
  // @ts-expect-error what is not required may be absent
  const unsure: string = form.content.o;
  // @ts-expect-error there was no such question
  await ctx.input({ a: listRoots() }).then(({ b }) => b);
  return text(`${early} ${sure} ${unsure} ${folders.roots[0]?.uri}`);
});
