;(() => {
  const { on, form, byId, notice } = window.shop
  let latest = 0

  /** Shows the results of an address without leaving the page; the last question asked wins. */
  async function show(url, push = true) {
    const mine = ++latest
    const results = byId('results')
    results.setAttribute('aria-busy', 'true')
    try {
      const response = await fetch(url)
      const fresh = new DOMParser().parseFromString(await response.text(), 'text/html').getElementById('results')
      if (mine !== latest) return
      if (!response.ok || !fresh) throw new Error('no results')
      results.replaceWith(document.adoptNode(fresh))
      if (push) history.pushState(null, '', url)
    } catch {
      if (mine !== latest) return
      results.removeAttribute('aria-busy')
      notice('We cannot search right now. Please try again.', 'alert')
    }
  }

  function address(element) {
    const fields = [...new FormData(element)].filter(([, value]) => value && value !== 'featured')
    const query = new URLSearchParams(fields).toString()
    return query ? `/products?${query}` : '/products'
  }

  form('search', (_, element) => show(address(element)))
  on('change', 'form[data-form="search"] select', (_, select) => show(address(select.form)))
  on('click', '.pager a', (event, link) => {
    event.preventDefault()
    show(link.href)
  })
  window.addEventListener('popstate', () => location.reload())
  document.addEventListener('keydown', (event) => {
    if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    byId('q')?.focus()
  })
})()
