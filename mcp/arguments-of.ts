/** The type that a JSON Schema literal describes. */

/**
 * The type of the values that a schema allows, as far as types, properties, items, enums and constants tell. What
 * cannot be told, and a schema whose type is not a literal (write `as const` behind it), is `any`: the values have
 * been validated.
 */
export type ArgumentsOf<S> = S extends { readonly const: infer C }
  ? C
  : S extends { readonly enum: readonly (infer E)[] }
    ? E
    : S extends { readonly type: 'string' }
      ? string
      : S extends { readonly type: 'integer' | 'number' }
        ? number
        : S extends { readonly type: 'boolean' }
          ? boolean
          : S extends { readonly type: 'null' }
            ? null
            : S extends { readonly type: 'array'; readonly items: infer I }
              ? readonly ArgumentsOf<I>[]
              : S extends { readonly type: 'object'; readonly properties: infer P }
                ? Properties<P, S>
                : any;

type RequiredOf<S> = S extends { readonly required: readonly (infer R)[] } ? R : never;

type Properties<P, S> = {
  readonly [K in keyof P as K extends RequiredOf<S> ? K : never]: ArgumentsOf<P[K]>;
} & {
  readonly [K in keyof P as K extends RequiredOf<S> ? never : K]?: ArgumentsOf<P[K]>;
};
