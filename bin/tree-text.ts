import type { TreeNode } from '../runtime/index.ts';
import { TREE_CHILDREN_MAX } from './limits.ts';

/** A supervision tree as lines of text. */
export function treeText(node: TreeNode): string {
  return [label(node), ...branches(node, '')].join('\n');
}

function branches(node: TreeNode, indent: string): string[] {
  const shown = node.children.slice(0, TREE_CHILDREN_MAX);
  const hidden = node.children.length - shown.length;
  const lines = shown.flatMap((child, index) => {
    const last = index === shown.length - 1 && hidden === 0;
    return [`${indent}${last ? '└─' : '├─'} ${label(child)}`, ...branches(child, `${indent}${last ? '   ' : '│  '}`)];
  });
  return hidden === 0 ? lines : [...lines, `${indent}└─ … ${hidden} more`];
}

function label({ id, pid, strategy }: TreeNode): string {
  return `${id}${strategy === undefined ? '' : ` (${strategy})`} ${pid ?? 'stopped'}`;
}
