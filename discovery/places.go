package discovery

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Places are the directories in which an application's plugins lie by custom:
//
//	<APP>_PLUGIN_PATH           environment, absolute directories as in PATH
//	<project>/.<app>/plugins    project
//	UserDir                     user
//	the system's, see below     system
//	PATH                        path, only if asked for
//
// The user's directory is $XDG_DATA_HOME/<app>/plugins or
// ~/.local/share/<app>/plugins; on macOS ~/Library/Application Support/<app>/plugins;
// on Windows %LOCALAPPDATA%\<app>\plugins, since programs do not roam. The system's
// are /usr/local and /usr, libexec and lib, /<app>/plugins; on macOS also
// /Library/Application Support/<app>/plugins; on Windows
// %ProgramFiles%\<app>\plugins. The current directory is never one by itself.
type Places struct {
	// App is the application's name in directories and variables. Required.
	App string
	// Project is the root of the present project. Empty: none.
	Project string
	// Path adds the directories in PATH.
	Path bool
	// LookupEnv reads an environment variable. Nil: [os.LookupEnv].
	LookupEnv func(key string) (string, bool)
	// Home is the user's home. Empty: [os.UserHomeDir].
	Home string
}

// Variable is the name of the environment variable with directories:
// GREET_PLUGIN_PATH for greet. Characters other than letters and digits become
// underscores.
func (p Places) Variable() string {
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && alphanumeric(byte(r)) {
			return r
		}
		return '_'
	}, p.App)
	return strings.ToUpper(name) + "_PLUGIN_PATH"
}

// Dirs returns the directories, in the order of the search, whether they exist or
// not. Those of the user are left out if the user has no home.
func (p Places) Dirs() []Dir {
	var dirs []Dir
	for _, path := range p.list(p.Variable()) {
		dirs = append(dirs, Dir{Path: path, Origin: OriginEnvironment, Required: true})
	}
	if p.Project != "" {
		if root, err := filepath.Abs(p.Project); err == nil {
			dirs = append(dirs, Dir{Path: filepath.Join(root, "."+p.App, "plugins"), Origin: OriginProject})
		}
	}
	if path, err := p.UserDir(); err == nil {
		dirs = append(dirs, Dir{Path: path, Origin: OriginUser})
	}
	for _, path := range p.systemDirs(ThisPlatform().OS) {
		dirs = append(dirs, Dir{Path: path, Origin: OriginSystem})
	}
	if p.Path {
		for _, path := range p.list("PATH") {
			dirs = append(dirs, Dir{Path: path, Origin: OriginPath})
		}
	}
	return dirs
}

// UserDir returns the user's directory for plugins, where they are installed.
func (p Places) UserDir() (string, error) {
	base, err := p.userData(ThisPlatform().OS)
	if err != nil {
		return "", fmt.Errorf("find the user's directory for plugins: %w", err)
	}
	return filepath.Join(base, p.App, "plugins"), nil
}

// userData is the directory for data of the user's applications. A relative path in a
// variable does not count.
func (p Places) userData(system string) (string, error) {
	variable, inHome := "XDG_DATA_HOME", []string{".local", "share"}
	switch system {
	case darwin:
		variable, inHome = "", []string{"Library", "Application Support"}
	case windows:
		variable, inHome = "LOCALAPPDATA", []string{"AppData", "Local"}
	}
	if variable != "" {
		if path := p.env(variable); filepath.IsAbs(path) {
			return path, nil
		}
	}
	home, err := p.home()
	if err != nil {
		return "", err
	}
	return filepath.Join(append([]string{home}, inHome...)...), nil
}

// systemDirs are directories for an administrator's writes only. %ProgramData% is
// none: every user may make files in it.
func (p Places) systemDirs(system string) []string {
	bases := []string{"/usr/local/libexec", "/usr/local/lib", "/usr/libexec", "/usr/lib"}
	switch system {
	case darwin:
		bases = []string{"/Library/Application Support", "/usr/local/libexec", "/usr/local/lib"}
	case windows:
		bases = nil
		if path := p.env("ProgramFiles"); filepath.IsAbs(path) {
			bases = []string{path}
		}
	}
	var dirs []string
	for _, base := range bases {
		dirs = append(dirs, filepath.Join(base, p.App, "plugins"))
	}
	return dirs
}

// list splits a variable. An empty element is left out; in PATH it means the current
// directory.
func (p Places) list(variable string) []string {
	var list []string
	for _, element := range filepath.SplitList(p.env(variable)) {
		if element != "" {
			list = append(list, element)
		}
	}
	return list
}

func (p Places) env(name string) string {
	lookup := p.LookupEnv
	if lookup == nil {
		lookup = os.LookupEnv
	}
	value, _ := lookup(name)
	return value
}

// home takes no relative path: it would depend on the program's working directory.
func (p Places) home() (string, error) {
	home := p.Home
	if home == "" {
		var err error
		if home, err = os.UserHomeDir(); err != nil {
			return "", err
		}
	}
	if !filepath.IsAbs(home) {
		return "", fmt.Errorf("the home directory %q is no absolute path", home)
	}
	return home, nil
}

// Origin says how a file came to be looked at.
type Origin string

// These are the origins, in the order of the search. An application with directories
// of its own may have further ones.
const (
	// OriginExplicit is a path that a person named for this run: a file in
	// Search.Overrides, or a directory.
	OriginExplicit Origin = "explicit"
	// OriginDevelopment is a development override: a path in a configuration,
	// for the time being. Each use is logged as a warning.
	OriginDevelopment Origin = "development"
	// OriginEnvironment is a directory in the variable <APP>_PLUGIN_PATH.
	OriginEnvironment Origin = "environment"
	// OriginProject is the project's directory.
	OriginProject Origin = "project"
	// OriginUser is the user's directory.
	OriginUser Origin = "user"
	// OriginSystem is a directory of the system.
	OriginSystem Origin = "system"
	// OriginPath is a directory in PATH.
	OriginPath Origin = "path"
)

// overrides tells whether a file of this origin, in no searched directory, is taken
// without a choice.
func (o Origin) overrides() bool { return o == OriginExplicit || o == OriginDevelopment }
