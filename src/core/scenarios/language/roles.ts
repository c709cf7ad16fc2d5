/** Every concrete ARIA 1.2 role, and the ones Playwright knows beyond it. */
export const roles: ReadonlySet<string> = new Set(
  `alert alertdialog application article banner blockquote button caption cell checkbox code columnheader combobox
  complementary contentinfo definition deletion dialog directory document emphasis feed figure form generic grid gridcell
  group heading img insertion link list listbox listitem log main marquee math menu menubar menuitem menuitemcheckbox
  menuitemradio meter navigation none note option paragraph presentation progressbar radio radiogroup region row rowgroup
  rowheader scrollbar search searchbox separator slider spinbutton status strong subscript superscript switch tab table
  tablist tabpanel term textbox time timer toolbar tooltip tree treegrid treeitem`.split(/\s+/),
)

/** What people say for a role, to suggest the role itself. */
export const roleWords: Readonly<Record<string, string[]>> = {
  input: ['textbox'],
  field: ['textbox'],
  textfield: ['textbox'],
  textarea: ['textbox'],
  dropdown: ['combobox', 'listbox'],
  select: ['combobox', 'listbox'],
  image: ['img'],
  picture: ['img'],
  modal: ['dialog'],
  popup: ['dialog'],
  header: ['banner', 'heading'],
  title: ['heading'],
  footer: ['contentinfo'],
  nav: ['navigation'],
  toggle: ['switch'],
  anchor: ['link'],
  item: ['listitem', 'menuitem'],
  spinner: ['progressbar', 'status'],
  progress: ['progressbar'],
  aside: ['complementary'],
  section: ['region'],
}
