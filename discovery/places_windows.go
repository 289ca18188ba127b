package discovery

import "path/filepath"

func (p Places) userData() (string, error) {
	if path := p.env("LOCALAPPDATA"); filepath.IsAbs(path) { // others do not count
		return path, nil
	}
	home, err := p.home()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, "AppData", "Local"), nil
}

// systemDirs does not name %ProgramData%, in which every user may make files.
func (p Places) systemDirs() []string {
	if path := p.env("ProgramFiles"); filepath.IsAbs(path) { // others do not count
		return []string{filepath.Join(path, p.App, "plugins")}
	}
	return nil
}
