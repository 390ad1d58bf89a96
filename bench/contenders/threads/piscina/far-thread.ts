/** The job: adds up, as the server of the others does. */
let sum = 0;

export default (n: number): number => {
  sum += n;
  return sum;
};
