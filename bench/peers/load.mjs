/** Here, so that packages are found in this folder: builds lie elsewhere. */
export const load = (name) => import(name);
