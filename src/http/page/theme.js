/** Light or dark: as the system says, until the person says otherwise. */
const KEY = 'trunkline-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

export function setUpTheme(button) {
  const chosen = () => localStorage.getItem(KEY);
  const apply = () => {
    const theme = chosen() ?? (system.matches ? 'dark' : 'light');
    document.documentElement.dataset.theme = theme;
    const other = theme === 'dark' ? 'light' : 'dark';
    button.setAttribute('aria-label', `Switch to ${other} colours`);
    button.title = `Switch to ${other} colours`;
    document.dispatchEvent(new Event('themechange'));
  };
  button.addEventListener('click', () => {
    const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
    // Choosing what the system has anyway means: follow it again.
    if (next === (system.matches ? 'dark' : 'light')) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
    apply();
  });
  system.addEventListener('change', apply);
  apply();
}
