/** The types of resources, templates and prompts: what must compile, and what must not. */

import { prompt, resource, resourceTemplate, userMessage } from '../../mcp/index.ts';

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
