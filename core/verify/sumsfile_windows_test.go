package verify

import "testing"

func TestSumsFileFindsPathsOfWindows(t *testing.T) {
	const dir, program = `C:\plugins`, `C:\Plugins\Greet.exe`
	for _, name := range []string{`greet.exe`, `\plugins\greet.exe`, `c:\plugins\GREET.exe`} {
		text := &sumsText{lines: []sumLine{{number: 1, name: `C:\elsewhere\greet.exe`}, {number: 2, name: name}}}
		if lines := text.of(program, dir); len(lines) != 1 || lines[0].number != 2 {
			t.Errorf("%s: %+v", name, lines)
		}
	}
}
