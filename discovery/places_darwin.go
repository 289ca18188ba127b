package discovery

import "path/filepath"

func (p Places) userData() (string, error) {
	home, err := p.home()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, "Library", "Application Support"), nil
}

func (p Places) systemDirs() []string {
	return []string{
		filepath.Join("/Library/Application Support", p.App, "plugins"),
		filepath.Join("/usr/local/libexec", p.App, "plugins"),
		filepath.Join("/usr/local/lib", p.App, "plugins"),
	}
}
