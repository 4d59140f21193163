/** What `doctor` says of one thing that it looked at. */
export interface Finding {
  readonly about: string;
  readonly state: 'fine' | 'warning' | 'problem';
  readonly sentence: string;
  readonly fix?: string;
}
