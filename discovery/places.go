package discovery

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Places are the directories in which an application's plugins lie by custom:
//
//	<APP>_PLUGIN_PATH           environment, absolute directories as in PATH
//	<project>/.<app>/plugins    project
//	UserDir                     user
//	ConfigDir                   user, only if asked for
//	beside the program          program, only if asked for
//	the system's, see below     system
//	PATH                        path, only if asked for
//
// The user's directory is $XDG_DATA_HOME/<app>/plugins or
// ~/.local/share/<app>/plugins; on macOS ~/Library/Application Support/<app>/plugins;
// on Windows %LOCALAPPDATA%\<app>\plugins, since programs do not roam. ConfigDir is
// the same in the directory of [os.UserConfigDir]. Beside the program are its own
// directory and plugins in it. The system's
// are /usr/local and /usr, libexec and lib, /<app>/plugins; on macOS also
// /Library/Application Support/<app>/plugins; on Windows
// %ProgramFiles%\<app>\plugins. The current directory is never one by itself.
type Places struct {
	// App is the application's name in directories and variables. Required.
	App string
	// Project is the root of the present project. Empty: none.
	Project string
	// Config adds ConfigDir, for applications with plugins beside their settings.
	Config bool
	// Program adds the directory of this program's file and the directory plugins in
	// it, for applications shipped with their plugins. A link to the program is
	// followed. A program that people run from a folder of downloads should not ask for
	// it: on Windows nothing shows that a file there is somebody else's.
	Program bool
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
	if p.Config {
		path, err := p.ConfigDir()
		if err == nil && !slices.ContainsFunc(dirs, func(d Dir) bool { return d.Path == path }) { // on macOS it is UserDir
			dirs = append(dirs, Dir{Path: path, Origin: OriginUser})
		}
	}
	if p.Program {
		if path, err := programDir(); err == nil {
			dirs = append(dirs, Dir{Path: path, Origin: OriginProgram}, Dir{Path: filepath.Join(path, "plugins"), Origin: OriginProgram})
		}
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

// ConfigDir returns the directory for plugins beside the user's settings:
// <app>/plugins in the directory of [os.UserConfigDir]. That is $XDG_CONFIG_HOME or
// ~/.config; on macOS ~/Library/Application Support; on Windows %APPDATA%.
func (p Places) ConfigDir() (string, error) {
	base, err := p.userConfig(ThisPlatform().OS)
	if err != nil {
		return "", fmt.Errorf("find the user's directory for settings: %w", err)
	}
	return filepath.Join(base, p.App, "plugins"), nil
}

// programDir is the directory of this program's file.
func programDir() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	// A link in a directory of commands leads to an application's own directory.
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	return filepath.Dir(path), nil
}

// userData is the directory for data of the user's applications.
func (p Places) userData(system string) (string, error) {
	switch system {
	case darwin:
		return p.userBase("", "Library", "Application Support")
	case windows:
		return p.userBase("LOCALAPPDATA", "AppData", "Local")
	default:
		return p.userBase("XDG_DATA_HOME", ".local", "share")
	}
}

// userConfig is the directory for settings of the user's applications.
func (p Places) userConfig(system string) (string, error) {
	switch system {
	case darwin:
		return p.userData(system)
	case windows:
		return p.userBase("APPDATA", "AppData", "Roaming")
	default:
		return p.userBase("XDG_CONFIG_HOME", ".config")
	}
}

// userBase is the directory named by a variable, or else a directory in the user's
// home. A relative path in the variable does not count.
func (p Places) userBase(variable string, inHome ...string) (string, error) {
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
	// OriginUser is a directory of the user's.
	OriginUser Origin = "user"
	// OriginProgram is the directory of the application's program, or plugins in it.
	OriginProgram Origin = "program"
	// OriginSystem is a directory of the system.
	OriginSystem Origin = "system"
	// OriginPath is a directory in PATH.
	OriginPath Origin = "path"
)

// overrides tells whether a file of this origin, in no searched directory, is taken
// without a choice.
func (o Origin) overrides() bool { return o == OriginExplicit || o == OriginDevelopment }
