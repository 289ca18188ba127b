package socket

// maxPath is the size of sun_path without its NUL (unix(7)).
const maxPath = 107
