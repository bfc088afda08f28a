"""The pages that links in mails and on the console lead to. Opening one spends nothing: a mail
scanner follows links too. Only the form does, with the token from the link's fragment, which no
server and no log ever sees, or pasted by hand."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.generic import FormView

from core import container
from core.errors import DomainError, ErrorCode
from core.result import Failure, Result
from core.throttling import throttled
from core.validation import LONGEST_PASSWORD
from users import wiring
from users.application.addresses import ChangeEmail
from users.application.administration import CreateAdmin
from users.application.device_passes import GrantDevicePass
from users.application.links import RequestLink
from users.application.passwords import ChoosePassword
from users.application.registration import VerifyEmail
from users.devices import keep_pass, shown_pass


def _password_field(label: Any, autocomplete: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": autocomplete}),
    )


def _new_password_field(what: str) -> forms.CharField:
    """As long as this installation asks for: read when the page is shown."""
    minimum = lazy(lambda: container.get_settings().password_min_length, int)()
    return _password_field(
        format_lazy("{} of at least {} characters", what, minimum), "new-password"
    )


def _token_field(label: str) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "data-token": ""})
    return forms.CharField(label=label, max_length=256, widget=widget)


class TokenForm(forms.Form):
    token = _token_field("The token from the mail")


class VerifyEmailForm(TokenForm):
    password = _password_field("The password that you chose", "current-password")


class ChangeEmailForm(TokenForm):
    password = _password_field("The password of your account", "current-password")


class ChoosePasswordForm(TokenForm):
    password = _new_password_field("A new password")


class AddressForm(forms.Form):
    email = forms.CharField(
        label="Your e-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )


class SetUpForm(TokenForm):
    token = _token_field("The token from the console")
    email = forms.CharField(
        label="Your e-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    password = _new_password_field("A password")


if TYPE_CHECKING:
    _FormView = FormView[forms.Form]
else:
    _FormView = FormView


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "users/home.html")


class Page(_FormView):
    """A form. A subclass says what it looks like, and hands it to a handler."""

    http_method_names = ("get", "head", "post")
    template_name = "users/form.html"
    title: ClassVar[str]
    action: ClassVar[str]
    done: ClassVar[str]
    goes_on_to: ClassVar[tuple[str, str]] = ("/", "Go on")

    def send(self, values: dict[str, Any]) -> Result[Any, DomainError]:
        raise NotImplementedError

    def form_valid(self, form: forms.Form) -> HttpResponse:
        result = self.send(form.cleaned_data)
        if isinstance(result, Failure):
            form.add_error(_field_of(result.error, form), result.error.message)
            return self.form_invalid(form)
        return self.answer(result.value)

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=400)

    def answer(self, value: Any) -> HttpResponse:
        link, label = self.goes_on_to
        context = {"title": self.done, "link": link, "label": label}
        return render(self.request, "users/done.html", context)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return super().get_context_data(title=self.title, action=self.action, **context)


@method_decorator([never_cache, throttled("one_use_token")], name="dispatch")
class TokenPage(Page):
    """What it sends spends a token."""

    form_class = TokenForm


def _field_of(error: DomainError, form: forms.Form) -> str | None:
    if error.code is ErrorCode.INVALID_CREDENTIALS:
        return "password"
    field = getattr(error, "field", None)
    return field if field in form.fields else None


class VerifyEmailPage(TokenPage):
    form_class = VerifyEmailForm
    title = "Confirm your e-mail address"
    action = "Confirm"
    done = "Your e-mail address is confirmed. You can sign in now."

    def send(self, values: dict[str, Any]) -> Result[Any, DomainError]:
        return wiring.verify_email().handle(VerifyEmail(**values))


class ChangeEmailPage(TokenPage):
    form_class = ChangeEmailForm
    title = "Confirm your new e-mail address"
    action = "Change the address"
    done = "Your e-mail address is changed. Sign in with the new one."

    def send(self, values: dict[str, Any]) -> Result[Any, DomainError]:
        return wiring.change_email().handle(ChangeEmail(**values))


class ResetPasswordPage(TokenPage):
    form_class = ChoosePasswordForm
    title = "Choose a new password"
    action = "Change the password"
    done = "Your password is changed. You can sign in with it now."

    def send(self, values: dict[str, Any]) -> Result[Any, DomainError]:
        command = ChoosePassword(**values, device_token=shown_pass(self.request))
        return wiring.reset_password().handle(command)


@method_decorator([never_cache, throttled("link")], name="dispatch")
class ForgottenPasswordPage(Page):
    """As the API has it: the same answer for every address, and at most one mail a minute."""

    form_class = AddressForm
    title = "Forgotten your password?"
    action = "Mail me a link"
    done = "If there is an account of this address, a link is on its way to it."
    goes_on_to = ("/reset-password", "Choose a new password with it")

    def send(self, values: dict[str, Any]) -> Result[Any, DomainError]:
        return wiring.request_password_reset().handle(RequestLink(**values))


class AcceptInvitationPage(TokenPage):
    form_class = ChoosePasswordForm
    title = "Choose your password"
    action = "Accept the invitation"
    done = "Your account is ready. You can sign in now."

    def send(self, values: dict[str, Any]) -> Result[Any, DomainError]:
        return wiring.accept_invitation().handle(ChoosePassword(**values))


class UnlockPage(TokenPage):
    title = "Let this device in"
    action = "Let it in"
    done = "This browser is known now. You can sign in here with your password."

    def send(self, values: dict[str, Any]) -> Result[Any, DomainError]:
        return wiring.grant_device_pass().handle(GrantDevicePass(**values))

    def answer(self, value: str) -> HttpResponse:
        response = super().answer(value)
        keep_pass(response, value)
        return response


class SetUpPage(TokenPage):
    form_class = SetUpForm
    title = "Make the first admin"
    action = "Make the account"
    done = "The first admin is made."
    goes_on_to = ("/admin/", "Sign in")

    def send(self, values: dict[str, Any]) -> Result[Any, DomainError]:
        command = CreateAdmin(
            email=values["email"], password=values["password"], setup_token=values["token"]
        )
        return wiring.create_admin().handle(command)
