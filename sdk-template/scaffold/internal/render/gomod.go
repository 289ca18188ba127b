package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// ErrUnreleased reports that a template in a folder needs a version for the modules beside
// it.
var ErrUnreleased = errors.New("the template requires modules of the folders beside it, and no version of them is known")

// RequireReleases drops replace lines for folders, and requires the version instead.
func RequireReleases(data []byte, version string) ([]byte, error) {
	file, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return nil, err
	}
	local := map[string]bool{}
	for _, replace := range file.Replace {
		if modfile.IsDirectoryPath(replace.New.Path) {
			local[replace.Old.Path] = true
		}
	}
	var requires []*modfile.Require
	for _, require := range file.Require {
		if local[require.Mod.Path] {
			if version == "" {
				return nil, ErrUnreleased
			}
			require.Mod.Version = version
		}
		requires = append(requires, require)
	}
	file.SetRequireSeparateIndirect(requires)
	for path := range local {
		if err := file.DropReplace(path, ""); err != nil {
			return nil, err
		}
	}
	file.Cleanup()
	return file.Format()
}

// MergeMod merges two descendants of a go.mod file by meaning. The result has the
// requirements of both, at the higher version; `go mod tidy` removes unneeded ones. All
// other lines come from ours.
func MergeMod(base, ours, theirs []byte) ([]byte, error) {
	var files [3]*modfile.File
	for i, data := range [][]byte{base, ours, theirs} {
		var err error
		if files[i], err = modfile.Parse("go.mod", data, nil); err != nil {
			return nil, err
		}
	}
	mergeRequires(files[1], files[2])
	if err := mergeLines(files[0], files[1], files[2]); err != nil {
		return nil, err
	}
	files[1].Cleanup()
	return files[1].Format()
}

func mergeRequires(ours, theirs *modfile.File) {
	wanted := map[string]*modfile.Require{}
	for _, require := range theirs.Require {
		wanted[require.Mod.Path] = require
	}
	requires := slices.Clone(ours.Require)
	for _, require := range requires {
		want := wanted[require.Mod.Path]
		if want != nil && semver.Compare(want.Mod.Version, require.Mod.Version) > 0 {
			require.Mod.Version = want.Mod.Version
		}
		delete(wanted, require.Mod.Path)
	}
	for _, require := range theirs.Require {
		if wanted[require.Mod.Path] != nil {
			requires = append(requires, require)
		}
	}
	ours.SetRequireSeparateIndirect(requires)
}

// mergeLines merges the go and toolchain versions, and the tools.
func mergeLines(base, ours, theirs *modfile.File) error {
	if theirs.Go != nil && (ours.Go == nil || semver.Compare("v"+theirs.Go.Version, "v"+ours.Go.Version) > 0) {
		if err := ours.AddGoStmt(theirs.Go.Version); err != nil {
			return err
		}
	}
	if theirs.Toolchain != nil && ours.Toolchain == nil && base.Toolchain == nil {
		if err := ours.AddToolchainStmt(theirs.Toolchain.Name); err != nil {
			return err
		}
	}
	return mergeTools(base, ours, theirs)
}

func mergeTools(base, ours, theirs *modfile.File) error {
	was, has, gets := tools(base), tools(ours), tools(theirs)
	for path := range gets {
		if !was[path] && !has[path] {
			if err := ours.AddTool(path); err != nil {
				return err
			}
		}
	}
	for path := range was {
		if !gets[path] {
			if err := ours.DropTool(path); err != nil {
				return err
			}
		}
	}
	return nil
}

func tools(file *modfile.File) map[string]bool {
	all := map[string]bool{}
	for _, tool := range file.Tool {
		all[tool.Path] = true
	}
	return all
}

// MergeSums returns the lines of both go.sum files. Extra lines are harmless, and `go mod
// tidy` removes them.
func MergeSums(ours, theirs []byte) []byte {
	seen := map[string]bool{}
	var out strings.Builder
	for line := range strings.Lines(string(ours) + string(theirs)) {
		if !seen[line] {
			seen[line] = true
			fmt.Fprint(&out, line)
		}
	}
	return []byte(out.String())
}
