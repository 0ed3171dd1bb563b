package billchain;

import java.util.List;

/** A value in the form that {@code transaction_prepare} takes: maps, lists, texts and numbers. */
public interface Form {
    /** The form. */
    Object form();

    /** The form of a value, whatever it is. */
    static Object of(Object value) {
        if (value instanceof Form form) {
            return form.form();
        }
        return value instanceof List<?> list ? list.stream().map(Form::of).toList() : value;
    }
}
