//go:build !darwin && !windows

package discovery

import "path/filepath"

func (p Places) userData() (string, error) {
	if path := p.env("XDG_DATA_HOME"); filepath.IsAbs(path) { // others do not count
		return path, nil
	}
	home, err := p.home()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, ".local", "share"), nil
}

func (p Places) systemDirs() []string {
	var dirs []string
	for _, base := range []string{"/usr/local/libexec", "/usr/local/lib", "/usr/libexec", "/usr/lib"} {
		dirs = append(dirs, filepath.Join(base, p.App, "plugins"))
	}
	return dirs
}
